//! What a loop's exception handler is told.

use std::fmt;
use std::panic::Location;

use crate::exception::Exception;

/// Something that went wrong where nobody could catch it: the dictionary that CPython hands to a
/// loop's exception handler.
///
/// Mirrors the `context` of [`loop.call_exception_handler`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.call_exception_handler).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExceptionContext {
    /// What happened, in CPython's words.
    pub message: String,
    /// The exception, if there is one.
    pub exception: Option<Exception>,
    /// What the future or task concerned prints as.
    pub future: Option<String>,
    /// Where the task was created; in debug mode.
    pub created_at: Option<&'static Location<'static>>,
}

impl ExceptionContext {
    /// A context with a message.
    pub fn new<M: Into<String>>(message: M) -> Self {
        Self {
            message: message.into(),
            exception: None,
            future: None,
            created_at: None,
        }
    }

    /// Adds the exception.
    #[must_use]
    pub fn with_exception(self, exception: Exception) -> Self {
        let exception = Some(exception);
        Self { exception, ..self }
    }

    /// Adds what the future or task concerned prints as.
    #[must_use]
    pub fn with_future<F: fmt::Display>(self, future: F) -> Self {
        let future = Some(future.to_string());
        Self { future, ..self }
    }
}

/// What the default handler prints.
impl fmt::Display for ExceptionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(future) = &self.future {
            write!(f, "\nfuture: {future}")?;
        }
        if let Some(place) = self.created_at {
            write!(f, "\ncreated at {place}")?;
        }
        if let Some(exception) = &self.exception {
            write!(f, "\n{exception:?}")?;
            if let Some(place) = exception.panic().and_then(|panic| panic.place()) {
                write!(f, "\n  at {place}")?;
            }
        }
        Ok(())
    }
}
