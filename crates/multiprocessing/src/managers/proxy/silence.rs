//! Whether a server is worth a farewell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a server that has kept silent is not told farewell.
const PAUSE: Duration = Duration::from_secs(30);

/// Remembers that a server did not answer.
///
/// No lock: a fork might copy it while another thread holds it.
pub(super) struct Silence {
    since: Instant,
    /// The end of the pause, in milliseconds from `since`.
    until: AtomicU64,
}

impl Silence {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            until: AtomicU64::new(0),
        }
    }

    pub(super) fn begin(&self) {
        let until = millis(self.since.elapsed() + PAUSE);
        self.until.store(until, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.until.store(0, Ordering::Relaxed);
    }

    pub(super) fn lasts(&self) -> bool {
        millis(self.since.elapsed()) < self.until.load(Ordering::Relaxed)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
