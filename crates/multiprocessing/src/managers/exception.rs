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
/// assert_eq!(error.to_string(), "not today");
/// let error = Exception::new("queue.Full", ());
/// assert_eq!(format!("{error:?}"), "queue.Full");
/// ```
#[derive(Clone, PartialEq)]
pub struct Exception {
    class: Global,
    args: Tuple,
}

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
        let class = Global::new(module, name);
        Self { class, args }
    }

    /// An exception of a class that came by wire.
    pub(crate) fn of_class(class: &Global, args: &[Object]) -> Self {
        let (class, args) = (class.clone(), args.iter().cloned().collect());
        Self { class, args }
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

    /// Its class, such as `zlib.error`.
    pub fn class(&self) -> &Global {
        &self.class
    }

    /// What it was made with: its message, as a rule.
    pub fn args(&self) -> &[Object] {
        &self.args
    }

    /// Whether it is of this class, named as in [`new`](Self::new).
    pub fn is_a(&self, class: &str) -> bool {
        let (module, name) = class.rsplit_once('.').unwrap_or(("builtins", class));
        self.class.is(module, name)
    }

    /// What CPython prints for it when nobody catches it.
    pub(crate) fn traceback(&self) -> String {
        format!("Traceback (most recent call last):\n{self:?}\n")
    }
}

/// What Python's `str` gives.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.args() {
            [] => Ok(()),
            [key] if self.is_a("KeyError") => write!(f, "{key:?}"),
            [argument] => write!(f, "{argument}"),
            [Object::Int(number), text @ Object::Str(_)] => write!(f, "[Errno {number}] {text}"),
            [Object::Int(number), text @ Object::Str(_), file] => {
                write!(f, "[Errno {number}] {text}: {file:?}")
            }
            args => write!(f, "{:?}", Tuple::from_iter(args.iter().cloned())),
        }
    }
}

/// As the last line of a traceback.
impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = self.class();
        match *class.module() == "builtins" {
            true => write!(f, "{}", class.name())?,
            false => write!(f, "{class}")?,
        }
        match &*self.to_string() {
            "" => Ok(()),
            text => write!(f, ": {text}"),
        }
    }
}

impl std::error::Error for Exception {}

impl From<Exception> for Object {
    fn from(exception: Exception) -> Self {
        Instance::reduce(exception.class, exception.args).into()
    }
}

impl From<Error> for Exception {
    fn from(error: Error) -> Self {
        let argument = match &error {
            Error::KeyError(key) => key.clone(),
            other => other.to_string().into(),
        };
        Self::of_class(&Global::new("builtins", error.name()), &[argument])
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
