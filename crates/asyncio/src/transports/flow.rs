//! When a protocol is told to write less, and when it may write again.

use std::cell::Cell;

use crate::exception::Result;
use crate::exceptions::ValueError;

const HIGH: usize = 64 * 1024;

/// The water marks of a transport, and whether its protocol is paused.
pub(crate) struct Flow {
    /// The high-water mark unless one is given.
    default: usize,
    high: Cell<usize>,
    low: Cell<usize>,
    paused: Cell<bool>,
}

impl Default for Flow {
    fn default() -> Self {
        Self::with_high(HIGH)
    }
}

impl Flow {
    pub(crate) fn with_high(high: usize) -> Self {
        Self {
            default: high,
            high: Cell::new(high),
            low: Cell::new(high / 4),
            paused: Cell::new(false),
        }
    }

    /// The low-water and the high-water mark.
    pub(crate) fn limits(&self) -> (usize, usize) {
        (self.low.get(), self.high.get())
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.get()
    }

    pub(crate) fn set_limits(&self, high: Option<usize>, low: Option<usize>) -> Result<()> {
        let high = high.unwrap_or_else(|| low.map_or(self.default, |low| 4 * low));
        let low = low.unwrap_or(high / 4);
        if high < low {
            let message = format!("high ({high}) must be >= low ({low}) must be >= 0");
            return Err(ValueError::new(message).into());
        }
        self.high.set(high);
        self.low.set(low);
        Ok(())
    }

    /// Whether the protocol has to be paused now that `size` bytes wait.
    pub(crate) fn pauses(&self, size: usize) -> bool {
        size > self.high.get() && !self.paused.replace(true)
    }

    /// Whether the protocol may go on now that `size` bytes wait.
    pub(crate) fn resumes(&self, size: usize) -> bool {
        size <= self.low.get() && self.paused.replace(false)
    }
}
