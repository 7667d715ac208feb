//! The loop that runs in the current thread.

use std::cell::RefCell;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;

thread_local! {
    static RUNNING: RefCell<Option<EventLoop>> = const { RefCell::new(None) };
}

/// The loop that runs the current thread's coroutines and callbacks.
///
/// # Errors
/// [`RuntimeError`] if none runs in this thread.
///
/// Mirrors [`asyncio.get_running_loop`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.get_running_loop).
pub fn get_running_loop() -> Result<EventLoop> {
    get().ok_or_else(|| RuntimeError::new("no running event loop").into())
}

pub(crate) fn get() -> Option<EventLoop> {
    with(EventLoop::clone)
}

/// Calls `f` with the running loop; `f` must not start or stop one.
pub(crate) fn with<R>(f: impl FnOnce(&EventLoop) -> R) -> Option<R> {
    RUNNING
        .try_with(|running| running.borrow().as_ref().map(f))
        .ok()
        .flatten()
}

/// Makes `event_loop` the thread's running loop while it lives.
pub(crate) struct Entered(());

impl Entered {
    pub(crate) fn new(event_loop: &EventLoop) -> Self {
        RUNNING.set(Some(event_loop.clone()));
        Self(())
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let left = RUNNING.try_with(RefCell::take);
        drop(left);
    }
}

/// The running loop, where Python raises for want of one and the signature has no room for an error.
#[track_caller]
pub(crate) fn expect() -> EventLoop {
    match get() {
        Some(event_loop) => event_loop,
        None => panic!("RuntimeError: no running event loop"),
    }
}
