//! What an exception that was raised in the server is here.

use hilos_pickle::{Global, Instance, Object, Tuple};

use super::error::RemoteError;
use crate::managers::Exception;

/// The error that an exception object stands for.
pub(super) fn raised(exception: &Object) -> RemoteError {
    let Object::Instance(instance) = exception else {
        return RemoteError::conversion(format_args!("{exception:?} is no exception"));
    };
    let Some(class) = instance.class() else {
        return RemoteError::conversion("an exception without a class");
    };
    typed(class, instance)
        .unwrap_or_else(|| RemoteError::Exception(Exception::of_class(class, instance.args())))
}

/// The error for an exception of a manager's own types.
fn typed(class: &Global, instance: &Instance) -> Option<RemoteError> {
    let (module, name) = (class.module().as_str()?, class.name().as_str()?);
    let text = || message(instance.args());
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

/// What Python's `str` makes of an exception's arguments; a number, a text and perhaps a file are
/// those of an `OSError`.
pub(super) fn message(args: &[Object]) -> String {
    match args {
        [] => String::new(),
        [only] => only.to_string(),
        [Object::Int(number), text @ Object::Str(_)] => format!("[Errno {number}] {text}"),
        [Object::Int(number), text @ Object::Str(_), file] => {
            format!("[Errno {number}] {text}: {file:?}")
        }
        several => format!("{:?}", Tuple::from(several.to_vec())),
    }
}
