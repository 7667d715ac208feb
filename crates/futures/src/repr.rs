//! How Python prints its objects, and where their failures are reported.

use std::any::type_name;
use std::error::Error;
use std::fmt;

use hilos_core::panic::{Panic, Unwound, catch};
use hilos_threading::{ExceptHookArgs, Exception, current_thread, default_excepthook, excepthook};

use crate::error::exception;

/// The last part of a type's path, without its parameters: `String`.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let path = type_name::<T>();
    // A tuple, a slice or a reference has no single name.
    if !path.starts_with(|first: char| first.is_alphabetic()) {
        return path;
    }
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

/// Tells `threading.excepthook` of an exception that nobody can catch.
pub(crate) fn report(exception: Exception) {
    let args = ExceptHookArgs::new(exception, Some(current_thread()));
    if let Err(Unwound::Panic(panic)) = catch(|| excepthook(&args)) {
        default_excepthook(&ExceptHookArgs::new(panic.into(), args.thread().cloned()));
    }
}

/// Calls a future's callback; a panic in it is reported and concerns nobody else.
pub(crate) fn call_back(future: &dyn fmt::Display, callback: impl FnOnce()) {
    if let Err(Unwound::Panic(panic)) = catch(callback) {
        let future = future.to_string();
        report(exception(CallbackError { future, panic }));
    }
}

/// A future's callback panicked.
struct CallbackError {
    future: String,
    panic: Panic,
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exception calling callback for {}", self.future)?;
        match self.panic.place() {
            Some(place) => write!(f, ", at {place}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for CallbackError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.panic)
    }
}
