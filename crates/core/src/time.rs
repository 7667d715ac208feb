//! Python's timeouts, and the deadlines they become at the public edge.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

#[cfg(loom)]
use crate::sync::model::reached;

/// The longest timeout in seconds that a lock accepts, Python's `threading.TIMEOUT_MAX`.
pub const TIMEOUT_MAX: f64 = 9_223_372_036.0;

/// How long a call may block: `None`, `2`, `0.5` or a [`Duration`].
///
/// Numbers are seconds, as in Python; `None` and `Duration::MAX` wait for ever. A negative
/// number or NaN is kept as it is, because what it means differs from call to call.
///
/// ```
/// use std::time::Duration;
/// use hilos_core::time::Timeout;
///
/// assert_eq!(Timeout::from(2), Timeout::from(Duration::from_secs(2)));
/// assert_eq!(Timeout::from(None), Timeout::NEVER);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timeout(Option<f64>);

impl Timeout {
    /// Waits for ever.
    pub const NEVER: Self = Self(None);

    /// Does not wait.
    pub const ZERO: Self = Self(Some(0.0));

    /// The deadline for calls in which Python treats a negative timeout or NaN as "do not block".
    pub fn deadline(self) -> Deadline {
        match self.0 {
            None => Deadline::NEVER,
            Some(seconds) if seconds > TIMEOUT_MAX => Deadline::NEVER,
            Some(seconds) if seconds > 0.0 => Deadline::after(Duration::from_secs_f64(seconds)),
            Some(_) => Deadline::PAST,
        }
    }

    /// The deadline for calls in which Python refuses a negative timeout, NaN, or more than
    /// [`TIMEOUT_MAX`].
    ///
    /// # Errors
    /// [`InvalidTimeout`] says which of the three it was.
    pub fn checked(self) -> Result<Deadline, InvalidTimeout> {
        match self.0 {
            Some(seconds) if seconds.is_nan() => Err(InvalidTimeout::NotANumber),
            Some(seconds) if seconds < 0.0 => Err(InvalidTimeout::Negative),
            Some(seconds) if seconds > TIMEOUT_MAX => Err(InvalidTimeout::TooLarge),
            _ => Ok(self.deadline()),
        }
    }

    /// Like [`checked`](Self::checked), but -1 waits for ever, as it does in a lock's `acquire`.
    ///
    /// # Errors
    /// As [`checked`](Self::checked).
    pub fn checked_for_lock(self) -> Result<Deadline, InvalidTimeout> {
        match self.0 {
            Some(-1.0) => Ok(Deadline::NEVER),
            _ => self.checked(),
        }
    }

    /// The timeout in seconds; `None` waits for ever.
    pub const fn seconds(self) -> Option<f64> {
        self.0
    }
}

impl From<Option<Duration>> for Timeout {
    fn from(timeout: Option<Duration>) -> Self {
        timeout.map_or(Self::NEVER, Self::from)
    }
}

impl From<Duration> for Timeout {
    fn from(timeout: Duration) -> Self {
        match timeout {
            Duration::MAX => Self::NEVER,
            _ => Self(Some(timeout.as_secs_f64())),
        }
    }
}

macro_rules! from_number {
    ($($number:ty)*) => {$(
        impl From<$number> for Timeout {
            fn from(seconds: $number) -> Self {
                Self(Some(seconds as f64))
            }
        }
    )*};
}
from_number!(i32 i64 u32 u64 usize f32 f64);

/// The moment at which a blocking call gives up.
///
/// Public calls turn their [`Timeout`] into a deadline once; inside, only deadlines travel, so
/// that a wait of several steps never starts its clock again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Limit);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Past,
    At(Instant),
    Never,
}

impl Deadline {
    /// A deadline that never passes.
    pub const NEVER: Self = Self(Limit::Never);

    /// A deadline that has passed: the call does not block.
    pub const PAST: Self = Self(Limit::Past);

    /// The deadline `timeout` from now; one beyond the clock's range never passes.
    pub fn after(timeout: Duration) -> Self {
        Self(
            Instant::now()
                .checked_add(timeout)
                .map_or(Limit::Never, Limit::At),
        )
    }

    /// The deadline at `moment`.
    pub const fn at(moment: Instant) -> Self {
        Self(Limit::At(moment))
    }

    /// Whether the deadline has passed.
    pub fn passed(self) -> bool {
        match self.0 {
            Limit::Past => true,
            Limit::At(moment) => reached(moment),
            Limit::Never => false,
        }
    }

    /// Whether the call must not block at all.
    pub const fn is_past(self) -> bool {
        matches!(self.0, Limit::Past)
    }

    /// Whether the deadline never passes.
    pub const fn is_never(self) -> bool {
        matches!(self.0, Limit::Never)
    }

    /// The moment of the deadline, `None` if it never passes.
    pub fn instant(self) -> Option<Instant> {
        match self.0 {
            Limit::Past => Some(Instant::now()),
            Limit::At(moment) => Some(moment),
            Limit::Never => None,
        }
    }

    /// This deadline, or the one `interval` from now if that comes first: how long to wait before a look round.
    pub fn at_most(self, interval: Duration) -> Self {
        match self.remaining() {
            Some(left) if left <= interval => self,
            None if interval == Duration::MAX => self,
            _ => Self::after(interval),
        }
    }

    /// The time that is left, `None` if the deadline never passes.
    pub fn remaining(self) -> Option<Duration> {
        match self.0 {
            Limit::Past => Some(Duration::ZERO),
            Limit::At(moment) => Some(moment.saturating_duration_since(Instant::now())),
            Limit::Never => None,
        }
    }
}

#[cfg(not(loom))]
fn reached(moment: Instant) -> bool {
    moment <= Instant::now()
}

/// A timeout that the call does not accept: Python's `ValueError` or `OverflowError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidTimeout {
    /// Below zero, where Python raises `ValueError`.
    Negative,
    /// NaN, where Python raises `ValueError`.
    NotANumber,
    /// Above [`TIMEOUT_MAX`], where Python raises `OverflowError`.
    TooLarge,
}

impl fmt::Display for InvalidTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Negative => "timeout value must be a non-negative number",
            Self::NotANumber => "Invalid value NaN (not a number)",
            Self::TooLarge => "timestamp out of range for platform time_t",
        })
    }
}

impl Error for InvalidTimeout {}
