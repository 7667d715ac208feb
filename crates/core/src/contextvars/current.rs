//! The contexts that the current thread has entered.
//!
//! No code of the program runs while the list is borrowed, so that a value may use context
//! variables when it is cloned or dropped.

use std::cell::{Cell, RefCell};

use super::lazy::{Ask, LazyContext};
use super::vars::Vars;
use super::{Context, Key, Value};

thread_local! {
    /// The innermost is the last. The first may be the thread's own, which nobody else knows.
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    /// Whether the innermost entry is a loop: a look that costs next to nothing.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// What the thread has entered.
pub(super) enum Entry {
    Context(Context),
    /// A loop, which knows the context of the task that it runs, if it runs one.
    Ask(Ask),
}

/// A context that the thread is in.
enum Found<'e> {
    Context(&'e Context),
    Lazy(&'e LazyContext),
}

/// Calls `f` with the current context, if the thread has needed one yet and is not ending.
fn peek<R>(f: impl Fn(Found<'_>) -> R) -> Option<R> {
    let innermost = |entry: &Entry| match entry {
        Entry::Context(context) => Some(f(Found::Context(context))),
        Entry::Ask(ask) => {
            let mut result = None;
            ask(&mut |lazy| result = Some(f(Found::Lazy(lazy))));
            result
        }
    };
    ENTERED
        .try_with(|entered| entered.borrow().iter().rev().find_map(innermost))
        .ok()
        .flatten()
}

/// What the variables are in the current context.
pub(super) fn vars() -> Vars {
    let vars = peek(|found| match found {
        Found::Context(context) => context.vars(),
        Found::Lazy(lazy) => lazy.vars(),
    });
    vars.unwrap_or_default()
}

/// What a variable is in the current context.
pub(super) fn value(key: &Key) -> Option<Value> {
    let value = peek(|found| match found {
        Found::Context(context) => context.value(key),
        Found::Lazy(lazy) => lazy.vars().value(key),
    });
    value.flatten()
}

/// Whether `context` is the current one.
pub(super) fn is(context: &Context) -> bool {
    let same = peek(|found| match found {
        Found::Context(current) => current.is(context),
        Found::Lazy(lazy) => lazy.made().is_some_and(|current| current.is(context)),
    });
    same == Some(true)
}

/// The current context; one that nobody keeps if the thread is ending.
pub(super) fn get() -> Context {
    let current = peek(|found| match found {
        Found::Context(context) => context.clone(),
        Found::Lazy(lazy) => lazy.context().clone(),
    });
    current.unwrap_or_else(|| {
        let own = Context::new();
        let entry = Entry::Context(own.clone());
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().insert(0, entry));
        own
    })
}

/// Whether the innermost entry is a loop.
#[inline]
pub(super) fn is_asking() -> bool {
    ASKING.get()
}

fn note_innermost(entered: &[Entry]) {
    ASKING.set(matches!(entered.last(), Some(Entry::Ask(_))));
}

/// Makes `entry` the innermost.
pub(super) fn push(entry: Entry) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        entered.push(entry);
        note_innermost(&entered);
    });
}

/// Leaves what `left` accepts, which need not be the innermost if guards were dropped out of order.
pub(super) fn remove(left: impl Fn(&Entry) -> bool) {
    let removed = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let place = entered.iter().rposition(left)?;
        let removed = entered.remove(place);
        note_innermost(&entered);
        Some(removed)
    });
    // Here, where the list is not borrowed: it may be the last handle of the context.
    drop(removed);
}
