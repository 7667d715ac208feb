//! What can go wrong.

use std::error::Error;
use std::fmt;

/// An argument that the scheduler does not accept: Python's `ValueError`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// The event is not in the queue: it has run, was cancelled, or is another scheduler's.
    NotInQueue,
    /// The time is NaN: the event would never be due.
    NotANumber,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInQueue => "the event is not in the queue",
            Self::NotANumber => "Invalid value NaN (not a number)",
        })
    }
}

impl fmt::Debug for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueError: {self}")
    }
}

impl Error for ValueError {}
