//! What can go wrong, by the name of Python's exception.

use std::error::Error;
use std::fmt;

use hilos_core::time::InvalidTimeout;

/// Why there is no item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetError {
    /// The queue is empty, and stayed so for as long as the call waited.
    Empty,
    /// The queue is shut down and, unless that was immediate, has been emptied.
    ShutDown,
    /// The timeout is negative, NaN or too long.
    Timeout(InvalidTimeout),
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the queue is empty"),
            Self::ShutDown => f.write_str("the queue is shut down"),
            Self::Timeout(invalid) => describe(*invalid, f),
        }
    }
}

impl fmt::Debug for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Empty => "Empty",
            Self::ShutDown => "ShutDown",
            Self::Timeout(invalid) => exception(*invalid),
        };
        write!(f, "{name}: {self}")
    }
}

impl Error for GetError {}

/// Why an item was not taken, with the item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutError<T> {
    /// The queue is full, and stayed so for as long as the call waited.
    Full(T),
    /// The queue is shut down.
    ShutDown(T),
    /// The timeout is negative, NaN or too long.
    Timeout(T, InvalidTimeout),
}

impl<T> PutError<T> {
    /// The item that the queue did not take.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::ShutDown(item) | Self::Timeout(item, _) => item,
        }
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the queue is full"),
            Self::ShutDown(_) => f.write_str("the queue is shut down"),
            Self::Timeout(_, invalid) => describe(*invalid, f),
        }
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Full(_) => "Full",
            Self::ShutDown(_) => "ShutDown",
            Self::Timeout(_, invalid) => exception(*invalid),
        };
        write!(f, "{name}: {self}")
    }
}

impl<T> Error for PutError<T> {}

/// [`task_done`](crate::BaseQueue::task_done) was called more often than items were put: Python's
/// `ValueError`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ValueError;

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task_done() called too many times")
    }
}

impl fmt::Debug for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueError: {self}")
    }
}

impl Error for ValueError {}

fn describe(invalid: InvalidTimeout, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match invalid {
        InvalidTimeout::Negative => f.write_str("'timeout' must be a non-negative number"),
        other => fmt::Display::fmt(&other, f),
    }
}

fn exception(invalid: InvalidTimeout) -> &'static str {
    match invalid {
        InvalidTimeout::TooLarge => "OverflowError",
        _ => "ValueError",
    }
}
