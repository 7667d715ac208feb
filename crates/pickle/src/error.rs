//! What can go wrong, by the name of Python's exception.

use std::borrow::Cow;
use std::error;
use std::fmt;
use std::io;

use crate::object::builtin;
use crate::{Global, Instance, Object, Tuple};

/// What Python would raise when an operation does not suit its objects.
///
/// `Display` prints Python's message, `Debug` the exception's name before it.
/// [`Object::from`] turns an error into the exception as an object, which a pickle can carry.
///
/// ```
/// use hilos_pickle::{Error, List};
///
/// let error = List::new().get(0).unwrap_err();
/// assert!(matches!(error, Error::IndexError(_)));
/// assert_eq!(format!("{error:?}"), "IndexError: list index out of range");
/// ```
///
/// CPython: <https://docs.python.org/3.14/library/exceptions.html>
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// An operation does not apply to an object of this type.
    TypeError(String),
    /// A value of the right type is not a possible one.
    ValueError(String),
    /// A position is outside a sequence.
    IndexError(String),
    /// A key is not in a dict, a value not in a set.
    KeyError(Object),
    /// A number does not fit.
    OverflowError(String),
}

impl Error {
    pub(crate) fn unhashable(object: &Object) -> Self {
        let name = match object {
            Object::Instance(instance) if builtin::is_array(instance) => "array.array".into(),
            other => other.type_name(),
        };
        Self::TypeError(format!("unhashable type: '{name}'"))
    }

    /// The name of the exception.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TypeError(_) => "TypeError",
            Self::ValueError(_) => "ValueError",
            Self::IndexError(_) => "IndexError",
            Self::KeyError(_) => "KeyError",
            Self::OverflowError(_) => "OverflowError",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyError(key) => write!(f, "{key:?}"),
            Self::TypeError(message)
            | Self::ValueError(message)
            | Self::IndexError(message)
            | Self::OverflowError(message) => f.write_str(message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.name())
    }
}

impl error::Error for Error {}

/// The exception, as Python would pickle it.
impl From<Error> for Object {
    fn from(error: Error) -> Self {
        let class = Global::new("builtins", error.name());
        let argument = match error {
            Error::KeyError(key) => key,
            other => Object::from(other.to_string()),
        };
        Instance::reduce(class, Tuple::from_iter([argument])).into()
    }
}

/// Why a value could not be pickled: Python's `PicklingError`.
///
/// CPython: [`pickle.PicklingError`](https://docs.python.org/3.14/library/pickle.html#pickle.PicklingError)
pub struct PicklingError(Box<Trouble>);

/// Why a pickle could not be read: Python's `UnpicklingError`, or the `EOFError`, `ValueError` or
/// `TypeError` that Python would raise then.
///
/// ```
/// let error = hilos_pickle::loads::<i32>(b"").unwrap_err();
/// assert!(error.is_eof());
/// assert_eq!(error.to_string(), "Ran out of input");
/// ```
///
/// CPython: [`pickle.UnpicklingError`](https://docs.python.org/3.14/library/pickle.html#pickle.UnpicklingError)
pub struct UnpicklingError(Box<Trouble>);

enum Trouble {
    /// The input ended between two instructions.
    Eof,
    /// The pickle is not a good one, or not of what was asked for.
    Message(Cow<'static, str>),
    Object(Error),
    Io(io::Error),
}

impl Trouble {
    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eof => write!(f, "EOFError: {self}"),
            Self::Message(message) => write!(f, "{name}: {message}"),
            Self::Object(error) => fmt::Debug::fmt(error, f),
            Self::Io(error) => write!(f, "OSError: {error}"),
        }
    }

    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Object(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Eof | Self::Message(_) => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eof => f.write_str("Ran out of input"),
            Self::Message(message) => f.write_str(message),
            Self::Object(error) => fmt::Display::fmt(error, f),
            Self::Io(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl UnpicklingError {
    pub(crate) fn eof() -> Self {
        Self(Box::new(Trouble::Eof))
    }

    #[cold]
    pub(crate) fn new<M: Into<Cow<'static, str>>>(message: M) -> Self {
        Self(Box::new(Trouble::Message(message.into())))
    }

    /// Whether the input ended between two instructions: Python's `EOFError`.
    pub fn is_eof(&self) -> bool {
        matches!(*self.0, Trouble::Eof)
    }

    /// What went wrong while reading the input, if that did.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &*self.0 {
            Trouble::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl PicklingError {
    #[cold]
    pub(crate) fn new<M: Into<Cow<'static, str>>>(message: M) -> Self {
        Self(Box::new(Trouble::Message(message.into())))
    }

    /// What went wrong while writing the output, if that did.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &*self.0 {
            Trouble::Io(error) => Some(error),
            _ => None,
        }
    }
}

macro_rules! errors {
    ($($error:ident)*) => {$(
        impl fmt::Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.describe(stringify!($error), f)
            }
        }

        impl error::Error for $error {
            fn source(&self) -> Option<&(dyn error::Error + 'static)> {
                self.0.source()
            }
        }

        impl From<io::Error> for $error {
            fn from(error: io::Error) -> Self {
                Self(Box::new(Trouble::Io(error)))
            }
        }

        impl From<Error> for $error {
            fn from(error: Error) -> Self {
                Self(Box::new(Trouble::Object(error)))
            }
        }
    )*};
}
errors!(PicklingError UnpicklingError);

impl serde::ser::Error for PicklingError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl serde::de::Error for UnpicklingError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}
