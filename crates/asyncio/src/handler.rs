//! What becomes of errors that nobody can catch: a loop's exception handler, and what it is told.

use std::fmt;
use std::io::Write as _;
use std::panic::Location;
use std::rc::Rc;

use hilos_core::contextvars::Context;
use hilos_core::panic::{catch, exit_thread};

use crate::any_future::AnyRc;
use crate::any_task::AnyTask;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result, quoted};
use crate::task_head::TaskHead;

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
    /// What the task concerned prints as.
    pub task: Option<String>,
    /// What the call concerned prints as.
    pub handle: Option<String>,
    /// Where the task was created; in debug mode.
    pub created_at: Option<&'static Location<'static>>,
    /// What a handler was told of that failed itself: Python's dictionary.
    pub context: Option<String>,
    /// The context of the task or call concerned, in which the handler runs.
    runs_in: Option<Context>,
}

impl ExceptionContext {
    /// A context with a message.
    pub fn new<M: Into<String>>(message: M) -> Self {
        Self {
            message: message.into(),
            exception: None,
            future: None,
            task: None,
            handle: None,
            created_at: None,
            context: None,
            runs_in: None,
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

    /// Adds the task concerned, in whose context the handler will run.
    #[must_use]
    pub fn with_task<T: Into<AnyTask>>(self, task: T) -> Self {
        let any = task.into();
        let task = Some(any.to_string());
        Self { task, ..self }.in_context_of(any.0.task())
    }

    /// Adds what the call concerned prints as.
    #[must_use]
    pub fn with_handle<H: fmt::Display>(self, handle: H) -> Self {
        let handle = Some(handle.to_string());
        Self { handle, ..self }
    }

    /// Has the handler run in this context, if there is one.
    #[must_use]
    pub(crate) fn in_context(self, runs_in: Option<Context>) -> Self {
        Self { runs_in, ..self }
    }

    /// Has the handler run in the task's context, if it is a task that is concerned.
    #[must_use]
    pub(crate) fn in_context_of(self, task: Option<&TaskHead>) -> Self {
        self.in_context(task.map(|task| task.context.context().clone()))
    }

    /// The dictionary that Python would print.
    fn repr(&self) -> String {
        let mut items = vec![format!("'message': {}", quoted(&self.message))];
        let mut add = |key, value: Option<String>| {
            items.extend(value.map(|value| format!("'{key}': {value}")));
        };
        add("exception", self.exception.as_ref().map(Exception::repr));
        add("future", self.future.clone());
        add("task", self.task.clone());
        add("handle", self.handle.clone());
        let created_at = self.created_at.map(|place| format!("[{place}]"));
        add("source_traceback", created_at);
        format!("{{{}}}", items.join(", "))
    }
}

/// What the default handler prints.
impl fmt::Display for ExceptionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.is_empty() {
            true => f.write_str("Unhandled exception in event loop")?,
            false => f.write_str(&self.message)?,
        }
        if let Some(context) = &self.context {
            write!(f, "\ncontext: {context}")?;
        }
        if let Some(future) = &self.future {
            write!(f, "\nfuture: {future}")?;
        }
        if let Some(handle) = &self.handle {
            write!(f, "\nhandle: {handle}")?;
        }
        if let Some(place) = self.created_at {
            write!(f, "\ncreated at {place}")?;
        }
        if let Some(task) = &self.task {
            write!(f, "\ntask: {task}")?;
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
    ///
    /// The handler runs in the context of the task or call that failed; it is not called if that
    /// is entered already. If it panics or is not called, that is printed, with what it would have
    /// been told. If it leaves by Python's `sys.exit()`, `threading::exit`, so does this function;
    /// when a callback fails, the run then ends with [`SystemExit`](crate::SystemExit).
    ///
    /// # Differences from Python
    /// - A handler returns nothing, so that it cannot choose the code of the exit.
    ///
    /// Mirrors [`loop.call_exception_handler`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.call_exception_handler).
    pub fn call_exception_handler(&self, context: ExceptionContext) {
        if self.tell_handler(context).is_err() {
            exit_thread();
        }
    }

    /// The same for the loop's own objects: a request to exit ends the run.
    pub(crate) fn report(&self, context: ExceptionContext) {
        if let Err(exit) = self.tell_handler(context) {
            self.raise(exit);
        }
    }

    /// The same for what is being dropped, wherever that is: nobody could take a request to exit.
    pub(crate) fn report_dropped(&self, context: ExceptionContext) {
        if let Err(exit) = self.tell_handler(context) {
            let what = format_args!("Exception ignored in: the exception handler of {self}");
            let _ = writeln!(std::io::stderr(), "{what}\n{exit:?}");
        }
    }

    /// Tells the handler of a task that will never be done.
    pub(crate) fn report_destroyed(&self, task: &AnyRc) {
        let context = ExceptionContext::new("Task was destroyed but it is pending!");
        let mut context = context.with_task(AnyTask(task.clone()));
        let head = task.task().filter(|_| self.get_debug());
        context.created_at = head.map(TaskHead::location);
        self.report_dropped(context);
    }

    /// Calls the handler; the error is its request to exit.
    pub(crate) fn tell_handler(&self, context: ExceptionContext) -> Result<()> {
        let Some(handler) = self.get_exception_handler() else {
            self.default_exception_handler(&context);
            return Ok(());
        };
        let call = || {
            match &context.runs_in {
                Some(runs_in) => runs_in.run(|| handler(self, &context))?,
                None => handler(self, &context),
            }
            Ok(())
        };
        match catch(call).unwrap_or_else(|unwound| Err(Exception::of_unwound(unwound))) {
            Err(exception) if !exception.is_exit() => {
                let failure = ExceptionContext::new("Unhandled error in exception handler");
                let mut failure = failure.with_exception(exception);
                failure.context = Some(context.repr());
                self.default_exception_handler(&failure);
                Ok(())
            }
            told => told,
        }
    }

    /// Prints the error on the standard error output.
    pub fn default_exception_handler(&self, context: &ExceptionContext) {
        // A closed standard error output is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{context}");
    }
}
