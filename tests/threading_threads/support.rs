//! What the tests share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos::threading::{Event, Outcome, Returning, Thread};

/// Longer than anything here takes, on any machine.
pub(crate) const LONG: f64 = 60.0;

/// Polls until `condition` is true.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed().as_secs_f64() < LONG,
            "still waiting for: {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

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
