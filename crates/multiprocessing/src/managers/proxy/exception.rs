//! Exceptions that a method raised in the server.

use std::fmt;

use hilos_pickle::{Global, Instance, Object, Tuple};

use super::error::RemoteError;

/// An exception of Python's, by the name of its class.
#[derive(Clone)]
pub struct Exception {
    class: Global,
    args: Vec<Object>,
}

impl Exception {
    /// Its class, such as `zlib.error`.
    pub fn class(&self) -> &Global {
        &self.class
    }

    /// What it was made with: its message, as a rule.
    pub fn args(&self) -> &[Object] {
        &self.args
    }

    /// The number and the text of an `OSError`, and the file's name if there is one.
    fn os_error(&self) -> Option<(i64, &Object, Option<&Object>)> {
        match &self.args[..] {
            [Object::Int(number), text @ Object::Str(_), more @ ..] if more.len() < 2 => {
                Some((*number, text, more.first()))
            }
            _ => None,
        }
    }
}

/// What Python's `str` gives.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.os_error(), &self.args[..]) {
            (Some((number, text, None)), _) => write!(f, "[Errno {number}] {text}"),
            (Some((number, text, Some(file))), _) => {
                write!(f, "[Errno {number}] {text}: {file:?}")
            }
            (None, []) => Ok(()),
            (None, [only]) => write!(f, "{only}"),
            (None, several) => write!(f, "{:?}", Tuple::from(several.to_vec())),
        }
    }
}

impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.class)
    }
}

/// The error that an exception object stands for.
pub(super) fn raised(exception: &Object) -> RemoteError {
    let Object::Instance(instance) = exception else {
        return RemoteError::conversion(format_args!("{exception:?} is no exception"));
    };
    let Some(class) = instance.class() else {
        return RemoteError::conversion("an exception without a class");
    };
    typed(class, instance).unwrap_or_else(|| {
        RemoteError::Exception(Exception {
            class: class.clone(),
            args: instance.args().to_vec(),
        })
    })
}

/// The error for an exception of the server's own types.
fn typed(class: &Global, instance: &Instance) -> Option<RemoteError> {
    let (module, name) = (class.module().as_str()?, class.name().as_str()?);
    let text = || match instance.args() {
        [only] => only.to_string(),
        [] => String::new(),
        several => format!("{:?}", Tuple::from(several.to_vec())),
    };
    Some(match (module, name) {
        ("builtins", "KeyError") => match instance.args() {
            [key] => RemoteError::Key(key.clone()),
            _ => return None,
        },
        ("builtins", "IndexError") => RemoteError::Index(text()),
        ("builtins", "ValueError") => RemoteError::Value(text()),
        ("builtins", "TypeError") => RemoteError::Type(text()),
        ("builtins", "AttributeError") => RemoteError::Attribute(text()),
        ("builtins", "RuntimeError") => RemoteError::Runtime(text()),
        ("builtins", "OverflowError") => RemoteError::Overflow(text()),
        ("builtins", "StopIteration") => RemoteError::StopIteration,
        ("_queue" | "queue", "Empty") => RemoteError::Empty,
        ("queue", "Full") => RemoteError::Full,
        ("queue", "ShutDown") => RemoteError::ShutDown,
        ("threading", "BrokenBarrierError") => RemoteError::BrokenBarrier,
        ("multiprocessing.context", "TimeoutError") => RemoteError::Timeout,
        _ => return None,
    })
}
