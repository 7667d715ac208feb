//! What can go wrong, by the name of Python's exception and in its words.

use std::error::Error;
use std::fmt;

use hilos_threading::{Exception, Outcome};

/// The future was cancelled: Python's `CancelledError`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CancelledError;

impl fmt::Display for CancelledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Python's has no text; a reader of a log needs one.
        f.write_str("the future was cancelled")
    }
}

impl Error for CancelledError {}

/// Something was not done in time: Python's `TimeoutError`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimeoutError {
    /// How many futures were unfinished, and of how many, if several were waited for.
    unfinished: Option<(usize, usize)>,
}

impl TimeoutError {
    /// One future was waited for.
    pub(crate) const ONE: Self = Self { unfinished: None };

    /// Several futures were waited for.
    pub(crate) fn several(unfinished: usize, total: usize) -> Self {
        Self {
            unfinished: Some((unfinished, total)),
        }
    }
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unfinished {
            Some((unfinished, total)) => write!(f, "{unfinished} (of {total}) futures unfinished"),
            // Python's has no text here.
            None => f.write_str("the future is not done yet"),
        }
    }
}

impl Error for TimeoutError {}

/// The future's state does not allow it: Python's `InvalidStateError`.
///
/// Its text is the state and the future, as Python prints them.
#[derive(Clone, PartialEq, Eq)]
pub struct InvalidStateError(String);

impl InvalidStateError {
    pub(crate) fn new(state: &str, future: &dyn fmt::Display) -> Self {
        Self(format!("{state}: {future}"))
    }
}

impl fmt::Display for InvalidStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidStateError {}

/// An executor no longer works: Python's `BrokenExecutor`, with its kinds.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokenExecutor {
    /// A pool of threads.
    ThreadPool(BrokenThreadPool),
    /// A pool of processes.
    ProcessPool(BrokenProcessPool),
}

impl BrokenExecutor {
    /// The exception of a future whose call was not run, or not to its end.
    pub(crate) fn into_exception(self) -> Exception {
        match self {
            Self::ThreadPool(error) => exception(error),
            Self::ProcessPool(error) => exception(error),
        }
    }

    /// Undoes [`into_exception`](Self::into_exception).
    fn from_exception(exception: &Exception) -> Option<Self> {
        let error = exception.error()?;
        if let Some(&error) = error.downcast_ref() {
            return Some(Self::ThreadPool(error));
        }
        error.downcast_ref().cloned().map(Self::ProcessPool)
    }
}

impl fmt::Display for BrokenExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThreadPool(error) => error.fmt(f),
            Self::ProcessPool(error) => error.fmt(f),
        }
    }
}

impl Error for BrokenExecutor {}

/// The initializer failed in a thread of the pool: Python's `BrokenThreadPool`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenThreadPool;

impl fmt::Display for BrokenThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("A thread initializer failed, the thread pool is not usable anymore")
    }
}

impl Error for BrokenThreadPool {}

/// A process of the pool ended when it should not: Python's `BrokenProcessPool`.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokenProcessPool(pub(crate) Reason);

/// Why a pool of processes is broken.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "process", target_os = "linux")),
    expect(dead_code, reason = "there are no pools of processes here")
)]
pub(crate) enum Reason {
    /// A process died.
    Terminated { pid: u32, exitcode: i32 },
    /// The initializer failed in a process.
    Initializer(String),
    /// The system refused a process.
    CannotStart(String),
}

impl BrokenProcessPool {
    /// The number of the process that died; `None` if none did.
    pub fn pid(&self) -> Option<u32> {
        match self.0 {
            Reason::Terminated { pid, .. } => Some(pid),
            _ => None,
        }
    }

    /// What that process returned, or the negative number of the signal that killed it.
    pub fn exitcode(&self) -> Option<i32> {
        match self.0 {
            Reason::Terminated { exitcode, .. } => Some(exitcode),
            _ => None,
        }
    }
}

impl fmt::Display for BrokenProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("A process in the process pool was terminated abruptly while the future was ")?;
        f.write_str("running or pending: ")?;
        match &self.0 {
            Reason::Terminated { pid, exitcode } => {
                write!(f, "process {pid} terminated with exit code {exitcode}")
            }
            Reason::Initializer(failure) => write!(f, "the initializer failed: {failure}"),
            Reason::CannotStart(error) => write!(f, "no process can be started: {error}"),
        }
    }
}

impl Error for BrokenProcessPool {}

impl From<BrokenProcessPool> for BrokenExecutor {
    fn from(error: BrokenProcessPool) -> Self {
        Self::ProcessPool(error)
    }
}

impl From<BrokenThreadPool> for BrokenExecutor {
    fn from(error: BrokenThreadPool) -> Self {
        Self::ThreadPool(error)
    }
}

/// Something was done in the wrong order or is impossible now: Python's `RuntimeError`.
#[derive(Clone)]
#[non_exhaustive]
pub enum RuntimeError {
    /// A call was submitted after the executor was shut down.
    AfterShutdown,
    /// A call was submitted after the program had begun to end.
    AfterInterpreterShutdown,
    /// [`set_running_or_notify_cancel`](crate::Future::set_running_or_notify_cancel) of a future
    /// that is not waiting to be run.
    UnexpectedState,
    /// The executor is broken; in Python, too, a kind of `RuntimeError`.
    Broken(BrokenExecutor),
    /// The executor could not start its first thread.
    CannotStart(hilos_threading::Error),
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AfterShutdown => "cannot schedule new futures after shutdown",
            Self::AfterInterpreterShutdown => {
                "cannot schedule new futures after interpreter shutdown"
            }
            Self::UnexpectedState => "Future in unexpected state",
            Self::Broken(error) => return error.fmt(f),
            Self::CannotStart(error) => return error.fmt(f),
        })
    }
}

impl Error for RuntimeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::CannotStart(error) => error.source(),
            _ => None,
        }
    }
}

/// An argument that the call does not accept: Python's `ValueError`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// An executor without workers.
    MaxWorkers,
    /// A map without room for a single result.
    BufferSize,
    /// A map whose calls have no items.
    ChunkSize,
    /// Processes that do no task, or no more than some and are forked.
    MaxTasksPerChild,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaxWorkers => "max_workers must be greater than 0",
            Self::BufferSize => "buffersize must be None or > 0",
            Self::ChunkSize => "chunksize must be >= 1.",
            Self::MaxTasksPerChild => {
                "max_tasks_per_child must be >= 1 and is incompatible with the 'fork' start method"
            }
        })
    }
}

impl Error for ValueError {}

/// Why there is no result, and any other error of this module for callers' `?`.
#[derive(Clone)]
#[non_exhaustive]
pub enum FutureError {
    /// The future was cancelled.
    Cancelled(CancelledError),
    /// It was not done in time.
    Timeout(TimeoutError),
    /// The call panicked or returned an error, which Python would raise here again.
    Failed(Exception),
    /// The executor broke before the call was run.
    Broken(BrokenExecutor),
    /// An earlier [`result`](crate::Future::result) took the value.
    Taken,
    /// The future's state does not allow it.
    InvalidState(InvalidStateError),
    /// Done in the wrong order.
    Runtime(RuntimeError),
    /// An argument that is not accepted.
    Value(ValueError),
}

impl FutureError {
    /// Whether the future was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }

    /// Whether it was not done in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }
}

impl fmt::Display for FutureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(error) => error.fmt(f),
            Self::Timeout(error) => error.fmt(f),
            Self::Failed(exception) => exception.fmt(f),
            Self::Broken(error) => error.fmt(f),
            Self::Taken => f.write_str("an earlier call took the result"),
            Self::InvalidState(error) => error.fmt(f),
            Self::Runtime(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
        }
    }
}

impl Error for FutureError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(exception) => exception.error()?.source(),
            Self::Runtime(error) => error.source(),
            _ => None,
        }
    }
}

impl From<Exception> for FutureError {
    fn from(exception: Exception) -> Self {
        match BrokenExecutor::from_exception(&exception) {
            Some(error) => Self::Broken(error),
            None => Self::Failed(exception),
        }
    }
}

impl From<RuntimeError> for FutureError {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::Broken(error) => Self::Broken(error),
            error => Self::Runtime(error),
        }
    }
}

macro_rules! from_each {
    ($($variant:ident($error:ident)),*) => {$(
        impl From<$error> for FutureError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}
from_each!(
    Cancelled(CancelledError),
    Timeout(TimeoutError),
    Broken(BrokenExecutor),
    InvalidState(InvalidStateError),
    Value(ValueError)
);

/// `Debug` as Python ends a traceback, so that `fn main() -> Result<…>` prints a sentence.
macro_rules! debug_with_name {
    ($($error:ident),*) => {$(
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}: {self}", stringify!($error))
            }
        }
    )*};
}
debug_with_name!(
    CancelledError,
    TimeoutError,
    InvalidStateError,
    BrokenThreadPool,
    BrokenProcessPool,
    ValueError
);

impl fmt::Debug for BrokenExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThreadPool(error) => fmt::Debug::fmt(error, f),
            Self::ProcessPool(error) => fmt::Debug::fmt(error, f),
        }
    }
}

impl fmt::Debug for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => fmt::Debug::fmt(error, f),
            _ => write!(f, "RuntimeError: {self}"),
        }
    }
}

impl fmt::Debug for FutureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(error) => fmt::Debug::fmt(error, f),
            Self::Timeout(error) => fmt::Debug::fmt(error, f),
            Self::Failed(exception) => fmt::Debug::fmt(exception, f),
            Self::Broken(error) => fmt::Debug::fmt(error, f),
            Self::Taken => write!(f, "FutureError: {self}"),
            Self::InvalidState(error) => fmt::Debug::fmt(error, f),
            Self::Runtime(error) => fmt::Debug::fmt(error, f),
            Self::Value(error) => fmt::Debug::fmt(error, f),
        }
    }
}

/// The exception that an error becomes, under the name of its type.
pub(crate) fn exception<E>(error: E) -> Exception
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    Err::<(), E>(error)
        .into_exception()
        .expect("an error is an exception")
}
