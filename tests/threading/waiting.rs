//! Waiting for what other threads or processes do.

use std::time::{Duration, Instant};

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
