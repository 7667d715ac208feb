//! The contexts that the current thread has entered.
//!
//! No code of the program runs while the list is borrowed, so that a value may use context
//! variables when it is cloned or dropped.

use std::cell::RefCell;
use std::rc::Rc;

use super::lazy::HasContext;
use super::vars::Vars;
use super::{Context, Key, Value};

thread_local! {
    /// The innermost is the last. The first may be the thread's own, which nobody else knows.
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// A context that was entered.
pub(super) enum Entry {
    Context(Context),
    Lazy(Rc<dyn HasContext>),
}

impl Entry {
    pub(super) fn vars(&self) -> Vars {
        match self {
            Self::Context(context) => context.vars(),
            Self::Lazy(owner) => owner.lazy_context().vars(),
        }
    }

    pub(super) fn value(&self, key: &Key) -> Option<Value> {
        match self {
            Self::Context(context) => context.value(key),
            Self::Lazy(owner) => match owner.lazy_context().made() {
                Some(context) => context.value(key),
                None => owner.lazy_context().vars().value(key),
            },
        }
    }

    /// Whether it is `context`, which exists.
    pub(super) fn is(&self, context: &Context) -> bool {
        match self {
            Self::Context(ours) => ours.is(context),
            Self::Lazy(owner) => owner
                .lazy_context()
                .made()
                .is_some_and(|ours| ours.is(context)),
        }
    }

    pub(super) fn is_of(&self, owner: &Rc<dyn HasContext>) -> bool {
        matches!(self, Self::Lazy(ours) if std::ptr::addr_eq(Rc::as_ptr(ours), Rc::as_ptr(owner)))
    }

    fn context(&self) -> Context {
        match self {
            Self::Context(context) => context.clone(),
            Self::Lazy(owner) => owner.lazy_context().context().clone(),
        }
    }
}

/// Calls `f` with the current context, if the thread has needed one yet and is not ending.
pub(super) fn peek<R>(f: impl FnOnce(&Entry) -> R) -> Option<R> {
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
                entered.push(Entry::Context(Context::new()));
            }
            entered[entered.len() - 1].context()
        })
        .unwrap_or_default()
}

/// Makes `entry` the current context.
pub(super) fn push(entry: Entry) {
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(entry));
}

/// Leaves the context that `left` accepts, which need not be the innermost if guards were dropped
/// out of order.
pub(super) fn remove(left: impl Fn(&Entry) -> bool) {
    let removed = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        match entered.last() {
            Some(last) if left(last) => entered.pop(),
            _ => {
                let place = entered.iter().rposition(left)?;
                Some(entered.remove(place))
            }
        }
    });
    // Here, where the list is not borrowed: it may be the last handle of the context.
    drop(removed);
}
