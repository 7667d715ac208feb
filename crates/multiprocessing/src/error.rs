//! What can go wrong, by the name of Python's exception and in its words.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Any error of this module.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// Something was done in the wrong order: Python's `AssertionError`.
    Assertion(&'static str),
    /// An argument or a moment that does not fit: Python's `ValueError`.
    Value(String),
    /// A setting that was made already: Python's `RuntimeError`.
    Runtime(String),
    /// A value that cannot go to another process: its type and the reason.
    Encoding {
        /// The name of the value's type.
        type_name: &'static str,
        /// What the encoder says.
        reason: String,
    },
    /// The other side does not know the key: Python's `AuthenticationError`.
    Authentication(String),
    /// A file whose permissions are not safe; what to do: Python's `PermissionError`.
    Permission(String),
    /// The other end is gone: Python's `EOFError`.
    Eof,
    /// The message does not fit the buffer; it is here: Python's `BufferTooShort`.
    BufferTooShort(Vec<u8>),
    /// The timeout has passed: Python's `multiprocessing.TimeoutError`.
    Timeout,
    /// A timeout that is not accepted.
    InvalidTimeout(hilos_core::time::InvalidTimeout),
    /// A lock's holder, the process with this number, has died; the lock's `recover` takes it over.
    OwnerDied(u32),
    /// The queue is empty: Python's `queue.Empty`.
    Empty,
    /// The queue is full: Python's `queue.Full`.
    Full,
    /// An index outside of an array: Python's `IndexError`.
    Index,
    /// The barrier is broken or reset: Python's `threading.BrokenBarrierError`.
    BrokenBarrier,
    /// A manager was used in the wrong order: Python's `multiprocessing.ProcessError`.
    Process(&'static str),
    /// The system refused: Python's `OSError`.
    Os(Arc<io::Error>),
}

impl Error {
    pub(crate) fn os(message: &'static str) -> Self {
        Self::Os(Arc::new(io::Error::other(message)))
    }

    pub(crate) fn encoding<T: ?Sized>(reason: impl fmt::Display) -> Self {
        Self::Encoding {
            type_name: std::any::type_name::<T>(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn exception(&self) -> &'static str {
        match self {
            Self::Assertion(_) => "AssertionError",
            Self::Value(_) => "ValueError",
            Self::Runtime(_) => "RuntimeError",
            Self::Encoding { .. } => "PicklingError",
            Self::Authentication(_) => "AuthenticationError",
            Self::Permission(_) => "PermissionError",
            Self::Eof => "EOFError",
            Self::BufferTooShort(_) => "BufferTooShort",
            Self::Timeout => "TimeoutError",
            Self::InvalidTimeout(_) => "ValueError",
            Self::OwnerDied(_) => "OwnerDied",
            Self::Empty => "Empty",
            Self::Full => "Full",
            Self::Index => "IndexError",
            Self::BrokenBarrier => "BrokenBarrierError",
            Self::Process(_) => "ProcessError",
            #[cfg(feature = "ssl")]
            Self::Os(error) if let Some(error) = ssl_error(error) => error.name(),
            Self::Os(error) => match error.kind() {
                io::ErrorKind::AlreadyExists => "FileExistsError",
                io::ErrorKind::NotFound => "FileNotFoundError",
                _ => "OSError",
            },
        }
    }
}

#[cfg(feature = "ssl")]
fn ssl_error(error: &io::Error) -> Option<&hilos_ssl::SslError> {
    error.get_ref()?.downcast_ref()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assertion(text) | Self::Process(text) => f.write_str(text),
            Self::Value(text)
            | Self::Runtime(text)
            | Self::Authentication(text)
            | Self::Permission(text) => f.write_str(text),
            Self::Encoding { type_name, reason } => write!(f, "{type_name}: {reason}"),
            Self::Eof => f.write_str("the other end is closed"),
            Self::BufferTooShort(message) => {
                write!(
                    f,
                    "the message of {} bytes does not fit the buffer",
                    message.len()
                )
            }
            Self::Timeout => f.write_str("the timeout has passed"),
            Self::InvalidTimeout(invalid) => invalid.fmt(f),
            Self::OwnerDied(pid) => write!(
                f,
                "process {pid} has died while it held the lock; what the lock guards may be half \
                 changed (`recover` takes the lock over)"
            ),
            Self::Empty => f.write_str("the queue is empty"),
            Self::Full => f.write_str("the queue is full"),
            Self::Index => f.write_str("array index out of range"),
            Self::BrokenBarrier => f.write_str("the barrier is broken"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.exception())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Os(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Os(Arc::new(error))
    }
}

impl From<nix::errno::Errno> for Error {
    fn from(error: nix::errno::Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl From<hilos_core::time::InvalidTimeout> for Error {
    fn from(invalid: hilos_core::time::InvalidTimeout) -> Self {
        Self::InvalidTimeout(invalid)
    }
}
