//! What the tests share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos::threading::{Event, Outcome, Thread};

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

/// Runs `f` in a thread to its end, and fails if `f` does.
pub(crate) fn run<F, R>(f: F)
where
    F: FnOnce() -> R + Send + 'static,
    R: Outcome + Send + 'static,
{
    let thread = Thread::returning(f);
    thread.start().unwrap();
    assert!(thread.join(LONG).unwrap().into_exception().is_none());
}

/// A thread that waits until the event is set.
pub(crate) fn waiting_thread() -> (Thread, Arc<Event>) {
    let event = Arc::new(Event::new());
    let theirs = event.clone();
    let thread = Thread::new(move || assert!(theirs.wait(LONG)));
    (thread, event)
}
