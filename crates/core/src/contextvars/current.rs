//! The contexts that the current thread has entered.
//!
//! No code of the program runs while the list is borrowed, so that a value may use context
//! variables when it is cloned or dropped.

use std::cell::RefCell;

use super::Context;

thread_local! {
    /// The innermost is the last. The first may be the thread's own, which nobody else knows.
    static ENTERED: RefCell<Vec<Context>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with the current context, if the thread has needed one yet and is not ending.
pub(super) fn peek<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    ENTERED
        .try_with(|entered| entered.borrow().last().map(f))
        .ok()
        .flatten()
}

/// The current context; one that nobody keeps if the thread is ending.
pub(super) fn get() -> Context {
    ENTERED
        .try_with(|entered| {
            let mut entered = entered.borrow_mut();
            if entered.is_empty() {
                entered.push(Context::new());
            }
            entered[entered.len() - 1].clone()
        })
        .unwrap_or_default()
}

/// Makes `context` the current one.
pub(super) fn push(context: &Context) {
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(context.clone()));
}

/// Leaves `context`, which need not be the innermost if guards were dropped out of order.
pub(super) fn remove(context: &Context) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        if let Some(place) = entered.iter().rposition(|other| other.is(context)) {
            entered.remove(place);
        }
    });
}
