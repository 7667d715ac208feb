//! What reading a stream fails with.

use std::error::Error;
use std::fmt;

/// The stream ended before all that was asked for had come.
///
/// Mirrors [`asyncio.IncompleteReadError`](https://docs.python.org/3.14/library/asyncio-exceptions.html#asyncio.IncompleteReadError).
#[derive(Clone, PartialEq, Eq)]
pub struct IncompleteReadError {
    /// What had come.
    pub partial: Vec<u8>,
    /// How many bytes were asked for, if it was a number.
    pub expected: Option<usize>,
}

impl fmt::Display for IncompleteReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes read on a total of ", self.partial.len())?;
        match self.expected {
            Some(expected) => write!(f, "{expected} expected bytes"),
            None => f.write_str("undefined expected bytes"),
        }
    }
}

/// No separator was found within the stream's limit.
///
/// Mirrors [`asyncio.LimitOverrunError`](https://docs.python.org/3.14/library/asyncio-exceptions.html#asyncio.LimitOverrunError).
#[derive(Clone, PartialEq, Eq)]
pub struct LimitOverrunError {
    pub(crate) message: &'static str,
    /// How many bytes are to be read before it makes sense to search again.
    pub consumed: usize,
}

impl fmt::Display for LimitOverrunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

macro_rules! debug_with_name {
    ($($error:ident)*) => {$(
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}: {self}", stringify!($error))
            }
        }

        impl Error for $error {}
    )*};
}
debug_with_name!(IncompleteReadError LimitOverrunError);
