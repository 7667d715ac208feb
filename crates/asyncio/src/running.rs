//! The loop that runs in the current thread.

use std::cell::RefCell;
use std::sync::Once;

use hilos_core::process::{AtFork, at_fork};

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::thread_loop::get_event_loop;

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
#[inline]
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
        static FORKS: Once = Once::new();
        FORKS.call_once(at_fork::<Fork>);
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

/// Calls `f` with no loop running in this thread, as if it were called in another.
#[cfg(feature = "tokio")]
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    struct Back(Option<EventLoop>);

    impl Drop for Back {
        fn drop(&mut self) {
            RUNNING.set(self.0.take());
        }
    }

    let _back = Back(RUNNING.take());
    f()
}

/// A forked child has no running loop: it shares neither descriptors nor signals with its parent.
struct Fork;

impl AtFork for Fork {
    fn prepare() {}

    fn parent() {}

    fn child() {
        let parents = RUNNING.try_with(RefCell::take);
        // The parent's loop is as it was in the middle of its run: nothing of it may be dropped.
        std::mem::forget(parents);
        #[cfg(target_os = "linux")]
        crate::sys::signals::forget_arrivals();
    }
}

/// The running loop or else the thread's current one, where Python raises for want of both and the
/// signature has no room for an error.
#[track_caller]
pub(crate) fn expect() -> EventLoop {
    match get_event_loop() {
        Ok(event_loop) => event_loop,
        Err(error) => panic!("{error:?}"),
    }
}
