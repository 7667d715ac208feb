//! The loop's time.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The longest sleep of an idle loop, in seconds: CPython's limit for its selector.
const MAXIMUM_TIMEOUT: f64 = 24.0 * 3600.0;

pub(crate) enum Clock {
    Real(Instant),
    /// Jumps to the next timer whenever the loop has nothing else to do.
    Virtual(Cell<f64>),
}

impl Clock {
    /// The system's clock; all loops of a process have the same.
    pub(crate) fn real() -> Self {
        static ZERO: OnceLock<Instant> = OnceLock::new();
        Self::Real(*ZERO.get_or_init(Instant::now))
    }

    pub(crate) fn time(&self) -> f64 {
        match self {
            Self::Real(zero) => zero.elapsed().as_secs_f64(),
            Self::Virtual(now) => now.get(),
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    /// Lets time pass until `when`, by `sleep` if need be.
    pub(crate) fn sleep_until(&self, when: f64, sleep: impl FnOnce(Duration)) {
        let timeout = when - self.time();
        if timeout <= 0.0 {
            return;
        }
        match self {
            Self::Virtual(now) => now.set(when),
            // Whole milliseconds, rounded up, as the selector counts: it decides which timers
            // come together in one iteration.
            Self::Real(_) => {
                let milliseconds = (timeout.min(MAXIMUM_TIMEOUT) * 1e3).ceil();
                sleep(Duration::from_millis(milliseconds as u64));
            }
        }
    }
}
