//! What can go wrong, by the name of Python's exception and in its words.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

pub use hilos_core::time::InvalidTimeout;

/// Something was done in the wrong order or by the wrong thread: Python's `RuntimeError`.
///
/// Nothing has changed when a call returns one.
#[derive(Clone)]
#[non_exhaustive]
pub enum RuntimeError {
    /// [`Lock::release`](crate::Lock::release) of a lock that nobody holds.
    ReleaseUnlocked,
    /// [`RLock::release`](crate::RLock::release) by a thread that does not hold it.
    ReleaseUnacquired,
    /// [`Condition::wait`](crate::Condition::wait) without holding the lock.
    WaitUnacquired,
    /// [`Condition::notify`](crate::Condition::notify) without holding the lock.
    NotifyUnacquired,
    /// [`Thread::start`](crate::Thread::start) of a thread that was started before.
    StartedTwice,
    /// [`Thread::join`](crate::Thread::join) before the thread was started.
    JoinBeforeStart,
    /// [`Thread::join`](crate::Thread::join) of the thread that calls it.
    JoinCurrent,
    /// [`Thread::join`](crate::Thread::join) of a thread that hilos did not start.
    JoinDummy,
    /// [`Thread::set_daemon`](crate::Thread::set_daemon) of a thread that is running.
    DaemonOfActive,
    /// The system refused to start another thread, for the reason given.
    CannotStart(Arc<io::Error>),
    /// A thread was started after the program had waited for its last one.
    StartAtExit,
    /// A daemon thread was joined after the program had waited for the others.
    JoinAtExit,
    /// [`register_atexit`](crate::register_atexit) after the program began to end.
    RegisterAtExit,
}

/// Python's old name of [`RuntimeError`].
pub type ThreadError = RuntimeError;

impl RuntimeError {
    fn text(&self) -> &'static str {
        match self {
            Self::ReleaseUnlocked => "release unlocked lock",
            Self::ReleaseUnacquired => "cannot release un-acquired lock",
            Self::WaitUnacquired => "cannot wait on un-acquired lock",
            Self::NotifyUnacquired => "cannot notify on un-acquired lock",
            Self::StartedTwice => "threads can only be started once",
            Self::JoinBeforeStart => "cannot join thread before it is started",
            Self::JoinCurrent => "cannot join current thread",
            Self::JoinDummy => "cannot join a dummy thread",
            Self::DaemonOfActive => "cannot set daemon status of active thread",
            Self::CannotStart(_) => "can't start new thread",
            Self::StartAtExit => "can't create new thread at interpreter shutdown",
            Self::JoinAtExit => "cannot join thread at interpreter shutdown",
            Self::RegisterAtExit => "can't register atexit after shutdown",
        }
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        match self {
            Self::CannotStart(reason) => write!(f, ": {reason}"),
            _ => Ok(()),
        }
    }
}

impl StdError for RuntimeError {}

/// An argument that the call does not accept: Python's `ValueError`.
///
/// Nothing has changed when a call returns one.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueError {
    /// A timeout below zero or NaN.
    Timeout(InvalidTimeout),
    /// A thread's name contains a NUL byte, which no system accepts.
    EmbeddedNul,
    /// [`BoundedSemaphore::release`](crate::Semaphore::release) beyond the initial value.
    ReleasedTooManyTimes,
    /// A semaphore was released zero times.
    ReleaseNone,
    /// A barrier for nobody.
    NoParties,
    /// A stack of so few bytes that no thread could run on it.
    StackSize(usize),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(invalid) => invalid.fmt(f),
            Self::EmbeddedNul => f.write_str("embedded null character"),
            Self::ReleasedTooManyTimes => f.write_str("Semaphore released too many times"),
            Self::ReleaseNone => f.write_str("n must be one or more"),
            Self::NoParties => f.write_str("parties must be > 0"),
            Self::StackSize(size) => write!(f, "size not valid: {size} bytes"),
        }
    }
}

impl StdError for ValueError {}

/// A timeout longer than [`TIMEOUT_MAX`](crate::TIMEOUT_MAX): Python's `OverflowError`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OverflowError;

impl fmt::Display for OverflowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        InvalidTimeout::TooLarge.fmt(f)
    }
}

impl StdError for OverflowError {}

/// The barrier was reset or aborted, or is broken: Python's `BrokenBarrierError`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BrokenBarrierError;

impl fmt::Display for BrokenBarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Python's has no text; a reader of a log needs one.
        f.write_str("the barrier is broken")
    }
}

impl StdError for BrokenBarrierError {}

/// Any error of this module, for calls that can fail in several ways and for callers' `?`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// Done in the wrong order or by the wrong thread.
    Runtime(RuntimeError),
    /// An argument that is not accepted.
    Value(ValueError),
    /// A timeout that is too long.
    Overflow(OverflowError),
    /// A barrier that is broken.
    BrokenBarrier(BrokenBarrierError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::Overflow(error) => error.fmt(f),
            Self::BrokenBarrier(error) => error.fmt(f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Runtime(RuntimeError::CannotStart(reason)) => Some(&**reason),
            _ => None,
        }
    }
}

impl From<RuntimeError> for Error {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(error)
    }
}

impl From<ValueError> for Error {
    fn from(error: ValueError) -> Self {
        Self::Value(error)
    }
}

impl From<OverflowError> for Error {
    fn from(error: OverflowError) -> Self {
        Self::Overflow(error)
    }
}

impl From<BrokenBarrierError> for Error {
    fn from(error: BrokenBarrierError) -> Self {
        Self::BrokenBarrier(error)
    }
}

impl From<InvalidTimeout> for Error {
    fn from(invalid: InvalidTimeout) -> Self {
        match invalid {
            InvalidTimeout::TooLarge => Self::Overflow(OverflowError),
            _ => Self::Value(ValueError::Timeout(invalid)),
        }
    }
}

/// Why there is no value to be had from [`Returning::join`](crate::Returning::join).
#[derive(Clone)]
#[non_exhaustive]
pub enum JoinError {
    /// The thread could not be joined.
    NotJoined(Error),
    /// The thread was still running when the timeout ended.
    TimedOut,
    /// The thread panicked.
    Panicked(hilos_core::panic::Panic),
    /// The thread left by [`exit`](crate::exit) and returned nothing.
    Exited,
    /// An earlier join took the value.
    Taken,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJoined(error) => error.fmt(f),
            Self::TimedOut => f.write_str("the thread is still running"),
            Self::Panicked(panic) => write!(f, "the thread panicked: {panic}"),
            Self::Exited => f.write_str("the thread exited without a value"),
            Self::Taken => f.write_str("an earlier join took the thread's value"),
        }
    }
}

impl StdError for JoinError {}

impl From<Error> for JoinError {
    fn from(error: Error) -> Self {
        Self::NotJoined(error)
    }
}

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
    RuntimeError,
    ValueError,
    OverflowError,
    BrokenBarrierError,
    JoinError
);

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(error) => fmt::Debug::fmt(error, f),
            Self::Value(error) => fmt::Debug::fmt(error, f),
            Self::Overflow(error) => fmt::Debug::fmt(error, f),
            Self::BrokenBarrier(error) => fmt::Debug::fmt(error, f),
        }
    }
}
