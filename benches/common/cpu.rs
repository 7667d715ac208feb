//! Processor time, which other programs of a loaded machine do not lengthen.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// What all threads of this process have used.
pub(crate) fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .unwrap()
        .into()
}
