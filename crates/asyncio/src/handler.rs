//! What becomes of errors that nobody can catch: a loop's exception handler, and what it is told.

use std::fmt;
use std::io::Write as _;
use std::panic::Location;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::exception::Exception;

/// What a loop does with errors that nobody can catch.
pub type ExceptionHandler = Rc<dyn Fn(&EventLoop, &ExceptionContext)>;

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
    /// What the call concerned prints as.
    pub handle: Option<String>,
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
            handle: None,
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

    /// Adds what the call concerned prints as.
    #[must_use]
    pub fn with_handle<H: fmt::Display>(self, handle: H) -> Self {
        let handle = Some(handle.to_string());
        Self { handle, ..self }
    }
}

/// What the default handler prints.
impl fmt::Display for ExceptionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(future) = &self.future {
            write!(f, "\nfuture: {future}")?;
        }
        if let Some(handle) = &self.handle {
            write!(f, "\nhandle: {handle}")?;
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

impl EventLoop {
    /// Has later errors that nobody can catch handled by `handler`.
    pub fn set_exception_handler<H>(&self, handler: H)
    where
        H: Fn(&Self, &ExceptionContext) + 'static,
    {
        let old = self.0.exception_handler.replace(Some(Rc::new(handler)));
        drop(old);
    }

    /// Has later errors that nobody can catch printed, as they are by default.
    pub fn reset_exception_handler(&self) {
        let old = self.0.exception_handler.take();
        drop(old);
    }

    /// The program's own handler, if one is set.
    pub fn get_exception_handler(&self) -> Option<ExceptionHandler> {
        self.0.exception_handler.borrow().clone()
    }

    /// Whether a handler of the program's own is set.
    pub fn has_exception_handler(&self) -> bool {
        self.0.exception_handler.borrow().is_some()
    }

    /// Hands an error that nobody can catch to the loop's handler.
    pub fn call_exception_handler(&self, context: ExceptionContext) {
        match self.get_exception_handler() {
            None => self.default_exception_handler(&context),
            Some(handler) => {
                let called = hilos_core::panic::catch(|| handler(self, &context));
                if let Err(hilos_core::panic::Unwound::Panic(panic)) = called {
                    let failure = ExceptionContext::new("Unhandled error in exception handler");
                    self.default_exception_handler(&failure.with_exception(panic.into()));
                }
            }
        }
    }

    /// Prints the error on the standard error output.
    pub fn default_exception_handler(&self, context: &ExceptionContext) {
        // A closed standard error output is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{context}");
    }
}
