//! What the tests share.

#[path = "../threading/waiting.rs"]
mod waiting;

use std::sync::Arc;

use hilos::threading::{Event, Outcome, Returning, Thread};

pub(crate) use waiting::{LONG, wait_until};

/// Starts a thread that runs `f`.
///
/// Its `join` fails if `f` panicked or did not end; that of a plain `Thread` would not tell.
pub(crate) fn start<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> Returning<R> {
    let thread = Thread::returning(f);
    thread.start().unwrap();
    thread
}

/// Runs `f` in a thread to its end, and fails if `f` does.
pub(crate) fn run<F, R>(f: F)
where
    F: FnOnce() -> R + Send + 'static,
    R: Outcome + Send + 'static,
{
    let outcome = start(f).join(LONG).unwrap();
    assert!(outcome.into_exception().is_none());
}

/// A thread that waits until the event is set; its `join` fails if that was not so.
pub(crate) fn waiting_thread() -> (Returning<()>, Arc<Event>) {
    let event = Arc::new(Event::new());
    let theirs = event.clone();
    let thread = Thread::returning(move || assert!(theirs.wait(LONG)));
    (thread, event)
}
