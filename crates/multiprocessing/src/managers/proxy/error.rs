//! Why a call of a proxy failed.

use std::error::Error as StdError;
use std::fmt;

use hilos_pickle::{Object, PicklingError, UnpicklingError};

use super::exception;
use crate::error::Error;
use crate::managers::Exception;

/// Why a call of a proxy failed: what the object raised, what the server says of the request, or what
/// became of the connection.
///
/// The exceptions that the types of a manager raise have a variant each, so that a program can match
/// them; any other is an [`Exception`](Self::Exception) by name. `Display` prints the message,
/// `Debug` the exception's name before it.
///
/// ```
/// use hilos_multiprocessing::managers::RemoteError;
///
/// let error = RemoteError::Key("a".into());
/// assert_eq!(format!("{error:?}"), "KeyError: 'a'");
/// ```
///
/// # Differences from Python
/// - Python raises `RemoteError` for a [`Traceback`](Self::Traceback) and
///   [`Unserializable`](Self::Unserializable) alone, and the exception itself otherwise.
/// - A proxy whose object is gone is [`Stale`](Self::Stale), a `RemoteError` with a traceback of a
///   `KeyError` there.
///
/// Mirrors `multiprocessing.managers.RemoteError`.
#[derive(Clone)]
#[non_exhaustive]
pub enum RemoteError {
    /// The key, or the item of a set, is not there: `KeyError`.
    Key(Object),
    /// A position outside of a list: `IndexError`.
    Index(String),
    /// A value that does not fit: `ValueError`.
    Value(String),
    /// A value of a type that does not fit: `TypeError`.
    Type(String),
    /// The object has no such attribute: `AttributeError`.
    Attribute(String),
    /// Done at the wrong moment, such as releasing a lock that is not held: `RuntimeError`.
    Runtime(String),
    /// A number that does not fit: `OverflowError`.
    Overflow(String),
    /// An iterator has no more: `StopIteration`.
    StopIteration,
    /// The queue is empty: `queue.Empty`.
    Empty,
    /// The queue is full: `queue.Full`.
    Full,
    /// The queue is shut down: `queue.ShutDown`.
    ShutDown,
    /// The barrier is broken or reset: `threading.BrokenBarrierError`.
    BrokenBarrier,
    /// What was waited for in the server took too long: `multiprocessing.TimeoutError`.
    Timeout,
    /// Any other exception that the method raised.
    Exception(Exception),
    /// The server refused the request or failed with it; its traceback.
    Traceback(String),
    /// The server could not pickle the result; what it says of it.
    Unserializable(String),
    /// The server has no such object, or no more: its identity.
    Stale(String),
    /// A value that cannot be sent, or that is not of the type that was asked for.
    Conversion(String),
    /// The server has not answered within the time that
    /// [`with_timeout`](super::Proxy::with_timeout) allows. Whether it has done, or will do, what it
    /// was asked is not known.
    Unanswered,
    /// The server cannot be reached, does not accept the key, or is gone.
    Connection(Error),
}

impl RemoteError {
    /// The name of the exception in Python.
    pub fn name(&self) -> String {
        let name = match self {
            Self::Key(_) => "KeyError",
            Self::Index(_) => "IndexError",
            Self::Value(_) => "ValueError",
            Self::Type(_) => "TypeError",
            Self::Attribute(_) => "AttributeError",
            Self::Runtime(_) => "RuntimeError",
            Self::Overflow(_) => "OverflowError",
            Self::StopIteration => "StopIteration",
            Self::Empty => "Empty",
            Self::Full => "Full",
            Self::ShutDown => "ShutDown",
            Self::BrokenBarrier => "BrokenBarrierError",
            Self::Timeout | Self::Unanswered => "TimeoutError",
            Self::Exception(exception) => return exception.class().name().to_string(),
            Self::Traceback(_) | Self::Unserializable(_) | Self::Stale(_) => "RemoteError",
            Self::Conversion(_) => "TypeError",
            Self::Connection(error) => error.exception(),
        };
        name.to_owned()
    }

    /// Whether the connection is to blame: the server may be gone, and with it its objects.
    pub fn is_connection(&self) -> bool {
        matches!(self, Self::Connection(_))
    }

    /// Whether asking for the next item would be as vain: there is no server, or no object.
    pub(super) fn is_final(&self) -> bool {
        self.is_connection() || matches!(self, Self::Unanswered | Self::Stale(_))
    }

    pub(super) fn conversion<E: fmt::Display>(reason: E) -> Self {
        Self::Conversion(reason.to_string())
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "{key:?}"),
            Self::Index(text)
            | Self::Value(text)
            | Self::Type(text)
            | Self::Attribute(text)
            | Self::Runtime(text)
            | Self::Overflow(text)
            | Self::Conversion(text) => f.write_str(text),
            Self::StopIteration => f.write_str("the iterator has no more"),
            Self::Empty => f.write_str("the queue is empty"),
            Self::Full => f.write_str("the queue is full"),
            Self::ShutDown => f.write_str("the queue is shut down"),
            Self::BrokenBarrier => f.write_str("the barrier is broken"),
            Self::Timeout => f.write_str("the timeout has passed"),
            Self::Exception(exception) => f.write_str(&exception::message(exception.args())),
            Self::Traceback(text) => {
                let line = "-".repeat(75);
                write!(f, "\n{line}\n{text}{line}")
            }
            Self::Unserializable(text) => write!(f, "Unserializable message: {text}"),
            Self::Stale(ident) => write!(f, "the manager has no object {ident} (any more)"),
            Self::Unanswered => f.write_str("the manager has not answered in time"),
            Self::Connection(Error::Eof) => f.write_str("the manager has closed the connection"),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.name())
    }
}

impl StdError for RemoteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connection(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for RemoteError {
    fn from(error: Error) -> Self {
        match error {
            Error::Timeout => Self::Unanswered,
            error => Self::Connection(error),
        }
    }
}

impl From<PicklingError> for RemoteError {
    fn from(error: PicklingError) -> Self {
        Self::conversion(error)
    }
}

impl From<UnpicklingError> for RemoteError {
    fn from(error: UnpicklingError) -> Self {
        Self::conversion(error)
    }
}
