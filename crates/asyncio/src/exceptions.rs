//! The exceptions that asyncio raises, under Python's names and in its words.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::exception::{Exception, quoted};

/// The text that a cancellation was given.
pub(crate) type Message = Arc<str>;

/// The task or future was cancelled.
///
/// Not an `Exception` in Python but a `BaseException`: let it pass unless you mean it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CancelledError {
    message: Option<Message>,
}

impl CancelledError {
    pub(crate) fn new(message: Option<Message>) -> Self {
        Self { message }
    }

    /// The text that [`cancel_with`](crate::Future::cancel_with) was given.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

impl fmt::Display for CancelledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().unwrap_or_default())
    }
}

/// Several exceptions that were raised side by side.
///
/// A [`TaskGroup`](crate::TaskGroup) raises one. Python's `except* ValueError` is
/// [`split`](Self::split).
#[derive(Clone)]
pub struct ExceptionGroup {
    message: String,
    exceptions: Vec<Exception>,
}

impl ExceptionGroup {
    /// A group of `exceptions`, which should not be empty.
    pub fn new<M: Into<String>>(message: M, exceptions: Vec<Exception>) -> Self {
        let message = message.into();
        Self {
            message,
            exceptions,
        }
    }

    /// What the group is about, without the number of its exceptions.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The exceptions, some of which may be groups.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// Divides the group into the exceptions that `matches` accepts and the others.
    ///
    /// Groups inside are divided too; a part without exceptions is `None`.
    pub fn split<F: FnMut(&Exception) -> bool>(
        &self,
        mut matches: F,
    ) -> (Option<Self>, Option<Self>) {
        let (yes, no) = self.divide(&mut matches);
        (self.derive(yes), self.derive(no))
    }

    fn divide(
        &self,
        matches: &mut dyn FnMut(&Exception) -> bool,
    ) -> (Vec<Exception>, Vec<Exception>) {
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for exception in &self.exceptions {
            match exception.group() {
                Some(inner) => {
                    let (some, others) = inner.divide(matches);
                    yes.extend(inner.derive(some).map(Exception::from));
                    no.extend(inner.derive(others).map(Exception::from));
                }
                None if matches(exception) => yes.push(exception.clone()),
                None => no.push(exception.clone()),
            }
        }
        (yes, no)
    }

    fn derive(&self, exceptions: Vec<Exception>) -> Option<Self> {
        (!exceptions.is_empty()).then(|| Self::new(self.message.clone(), exceptions))
    }

    pub(crate) fn repr(&self) -> String {
        let name = match self.exceptions.iter().any(Exception::is_base) {
            true => "BaseExceptionGroup",
            false => "ExceptionGroup",
        };
        let exceptions: Vec<_> = self.exceptions.iter().map(Exception::repr).collect();
        format!(
            "{name}({}, [{}])",
            quoted(&self.message),
            exceptions.join(", ")
        )
    }
}

impl fmt::Display for ExceptionGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.exceptions.len();
        let s = if n == 1 { "" } else { "s" };
        write!(f, "{} ({n} sub-exception{s})", self.message)
    }
}

/// An exception that says what it says: a text under Python's name.
macro_rules! exceptions_with_text {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// An exception with this message.
            pub fn new<M: Into<String>>(message: M) -> Self {
                Self(message.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
exceptions_with_text! {
    /// The state of a task or future does not allow it.
    InvalidStateError;
    /// Something was done in the wrong order or is impossible now.
    RuntimeError;
    /// A value is not one that the call accepts.
    ValueError;
    /// The barrier was broken or reset while a task waited.
    BrokenBarrierError;
    /// Something was not done in time.
    TimeoutError;
    /// The queue is empty.
    QueueEmpty;
    /// The queue is full.
    QueueFull;
    /// The queue is shut down.
    QueueShutDown;
    /// The system cannot send the file by itself: a `RuntimeError` in Python.
    SendfileNotAvailableError;
    /// The user pressed Ctrl-C.
    KeyboardInterrupt;
}

/// The program shall end with this exit code.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SystemExit(pub i32);

impl fmt::Display for SystemExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `Debug` as Python ends a traceback, so that `fn main() -> Result<…>` prints a sentence.
macro_rules! debug_with_name {
    ($($error:ident),*) => {$(
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let message = self.to_string();
                match message.is_empty() {
                    true => f.write_str(stringify!($error)),
                    false => write!(f, "{}: {message}", stringify!($error)),
                }
            }
        }

        impl Error for $error {}
    )*};
}
debug_with_name!(
    CancelledError,
    ExceptionGroup,
    InvalidStateError,
    RuntimeError,
    ValueError,
    BrokenBarrierError,
    TimeoutError,
    QueueEmpty,
    QueueFull,
    QueueShutDown,
    SendfileNotAvailableError,
    KeyboardInterrupt,
    SystemExit
);
