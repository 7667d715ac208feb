//! A coroutine inside a task's only allocation.

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A place for a coroutine, which it never leaves alive.
///
/// Invariant: a reference to the content exists only inside [`poll`](InPlace::poll) and
/// [`clear`](InPlace::clear), each of which holds `busy` and lets nobody else in meanwhile.
pub(crate) struct Place<F> {
    content: UnsafeCell<Option<F>>,
    /// Whether the content is being polled or dropped.
    busy: Cell<bool>,
    /// Whether the content shall be dropped as soon as it is no longer busy.
    doomed: Cell<bool>,
    _pinned: PhantomPinned,
}

impl<F> Place<F> {
    pub(crate) fn new(content: F) -> Self {
        Self {
            content: UnsafeCell::new(Some(content)),
            busy: Cell::new(false),
            doomed: Cell::new(false),
            _pinned: PhantomPinned,
        }
    }
}

/// What has a [`Place`] inside its own allocation.
///
/// # Safety
/// `place` returns the same field of `self` each time, and nobody moves that field or takes `&mut`
/// of it: the type has no method that does, and hides the field from other modules.
pub(crate) unsafe trait InPlace<F> {
    fn place(&self) -> &Place<F>;
}

/// Polls the coroutine; `None` if there is none, or if it is being polled already.
///
/// The coroutine is dropped when it is ready.
pub(crate) fn poll<F: Future, C: InPlace<F>>(
    cell: &Rc<C>,
    context: &mut Context<'_>,
) -> Option<Poll<F::Output>> {
    let place = cell.place();
    let busy = Busy::new(place)?;
    // SAFETY: `busy` shows that no other reference to the content exists, and none is made while
    // it lives. It lives as long as this reference.
    let content = unsafe { &mut *place.content.get() };
    let coroutine = content.as_mut()?;
    // SAFETY: the coroutine is inside an `Rc`, so that it stays where it is until it is dropped:
    // `InPlace` promises that nobody moves it out, `clear` drops it in place, and an `Rc` that
    // drops its content drops that in place too. Nobody takes the memory before.
    let polled = unsafe { Pin::new_unchecked(coroutine) }.poll(context);
    drop(busy);
    if polled.is_ready() || place.doomed.get() {
        clear(cell);
    }
    Some(polled)
}

/// Drops the coroutine where it is; at the end of its poll if it is being polled.
pub(crate) fn clear<F, C: InPlace<F>>(cell: &Rc<C>) {
    let place = cell.place();
    let Some(_busy) = Busy::new(place) else {
        place.doomed.set(true);
        return;
    };
    // SAFETY: `_busy` shows that no other reference to the content exists, and none is made while
    // it lives: the coroutine's destructor that comes back here finds the place busy. Assigning
    // `None` drops the coroutine in place, as its pinning demands.
    unsafe { *place.content.get() = None };
}

/// Marks a place as busy while it lives, also through a panic.
struct Busy<'p>(&'p Cell<bool>);

impl<'p> Busy<'p> {
    fn new<F>(place: &'p Place<F>) -> Option<Self> {
        (!place.busy.replace(true)).then(|| Self(&place.busy))
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
