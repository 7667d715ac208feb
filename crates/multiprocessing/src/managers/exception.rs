//! Exceptions that methods of shared objects raise.

use std::fmt;

use hilos_core::time::InvalidTimeout;
use hilos_pickle::{Error, Global, Instance, Object, PicklingError, Tuple};

/// An exception as Python would raise it: a class and arguments.
///
/// Methods of a [`Referent`](super::Referent) fail with one, and it is raised where the proxy was
/// called, in Python and in Rust.
///
/// ```
/// use hilos_multiprocessing::managers::Exception;
///
/// let error = Exception::new("ValueError", "not today");
/// assert_eq!(error.to_string(), "ValueError: not today");
/// let error = Exception::new("queue.Full", ());
/// assert_eq!(error.to_string(), "queue.Full");
/// ```
#[derive(Clone, PartialEq)]
pub struct Exception(Instance);

impl Exception {
    /// An exception of a class, by its name and, unless it is built in, its module's.
    ///
    /// The argument is mostly a text, and nothing for `()`.
    pub fn new<A: Into<Object>>(class: &str, argument: A) -> Self {
        let args = match argument.into() {
            Object::None => Tuple::new(),
            argument => Tuple::from_iter([argument]),
        };
        let (module, name) = class.rsplit_once('.').unwrap_or(("builtins", class));
        Self(Instance::reduce(Global::new(module, name), args))
    }

    /// One that a server has sent.
    pub(crate) const fn raised(exception: Instance) -> Self {
        Self(exception)
    }

    pub(crate) fn type_error<T: Into<String>>(text: T) -> Self {
        Self::new("TypeError", text.into())
    }

    pub(crate) fn value_error<T: Into<String>>(text: T) -> Self {
        Self::new("ValueError", text.into())
    }

    pub(crate) fn runtime_error<T: fmt::Display>(text: T) -> Self {
        Self::new("RuntimeError", text.to_string())
    }

    pub(crate) fn attribute_error(type_name: &str, name: &str) -> Self {
        let text = format!("'{type_name}' object has no attribute '{name}'");
        Self::new("AttributeError", text)
    }

    /// Its class, unless something else makes it.
    pub fn class(&self) -> Option<&Global> {
        self.0.class()
    }

    /// Its arguments.
    pub fn args(&self) -> &[Object] {
        self.0.args()
    }

    /// Whether it is of this class, named as in [`new`](Self::new).
    pub fn is_a(&self, class: &str) -> bool {
        let (module, name) = class.rsplit_once('.').unwrap_or(("builtins", class));
        self.0.is_a(module, name)
    }

    /// What CPython prints for it when nobody catches it.
    pub(crate) fn traceback(&self) -> String {
        format!("Traceback (most recent call last):\n{self}\n")
    }
}

/// As the last line of a traceback.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(class) = self.0.class() else {
            return write!(f, "{:?}", self.0);
        };
        match *class.module() == "builtins" {
            true => write!(f, "{}", class.name())?,
            false => write!(f, "{class}")?,
        }
        match self.args() {
            [] => Ok(()),
            [key] if self.is_a("KeyError") => write!(f, ": {key:?}"),
            [argument] => write!(f, ": {argument}"),
            args => write!(f, ": {:?}", Tuple::from_iter(args.iter().cloned())),
        }
    }
}

impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Exception {}

impl From<Exception> for Object {
    fn from(exception: Exception) -> Self {
        exception.0.into()
    }
}

impl From<Error> for Exception {
    fn from(error: Error) -> Self {
        let name = error.name();
        match error {
            Error::KeyError(key) => Self(Instance::reduce(
                Global::new("builtins", name),
                Tuple::from_iter([key]),
            )),
            error => Self::new(name, error.to_string()),
        }
    }
}

impl From<PicklingError> for Exception {
    fn from(error: PicklingError) -> Self {
        Self::new("_pickle.PicklingError", error.to_string())
    }
}

impl From<hilos_threading::RuntimeError> for Exception {
    fn from(error: hilos_threading::RuntimeError) -> Self {
        Self::runtime_error(error)
    }
}

impl From<hilos_threading::ValueError> for Exception {
    fn from(error: hilos_threading::ValueError) -> Self {
        Self::value_error(error.to_string())
    }
}

impl From<hilos_queue::ValueError> for Exception {
    fn from(error: hilos_queue::ValueError) -> Self {
        Self::value_error(error.to_string())
    }
}

/// As `threading`'s locks raise it.
impl From<InvalidTimeout> for Exception {
    fn from(invalid: InvalidTimeout) -> Self {
        match invalid {
            InvalidTimeout::TooLarge => Self::new("OverflowError", "timeout value is too large"),
            InvalidTimeout::NotANumber => Self::value_error("Invalid value NaN (not a number)"),
            _ => Self::value_error("timeout value must be a non-negative number"),
        }
    }
}
