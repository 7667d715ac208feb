//! What the system refuses, under Python's names.

use std::fmt;
use std::io::{Error, ErrorKind};

use crate::exception::Exception;

/// The subclass of `OSError` that Python raises for `error`.
pub(crate) fn python_name(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "FileNotFoundError",
        ErrorKind::PermissionDenied => "PermissionError",
        ErrorKind::ConnectionRefused => "ConnectionRefusedError",
        ErrorKind::ConnectionReset => "ConnectionResetError",
        ErrorKind::ConnectionAborted => "ConnectionAbortedError",
        ErrorKind::BrokenPipe => "BrokenPipeError",
        ErrorKind::AlreadyExists => "FileExistsError",
        ErrorKind::WouldBlock => "BlockingIOError",
        ErrorKind::TimedOut => "TimeoutError",
        ErrorKind::Interrupted => "InterruptedError",
        ErrorKind::NotADirectory => "NotADirectoryError",
        ErrorKind::IsADirectory => "IsADirectoryError",
        _ => "OSError",
    }
}

/// `error` as an exception, under Python's name.
pub(crate) fn os_error(error: Error) -> Exception {
    Exception::new(python_name(&error), error)
}

/// An error of the kind of `error` that says `message` after its number, as Python's do.
#[cfg(target_os = "linux")]
pub(crate) fn os_error_with(error: &Error, message: &str) -> Exception {
    let numbered = Numbered {
        number: error.raw_os_error().unwrap_or_default(),
        words: message.to_owned(),
    };
    os_error(Error::new(error.kind(), numbered))
}

/// The number of an error, and words of Python's for it.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: i32,
    pub(crate) words: String,
}

impl Numbered {
    /// The number and the words of `error`, if it has them.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if let Some(numbered) = error.downcast_ref::<Self>() {
            return Some(numbered.clone());
        }
        let error = error.downcast_ref::<Error>()?;
        if let Some(number) = error.raw_os_error() {
            let words = words(error);
            return Some(Self { number, words });
        }
        error.get_ref()?.downcast_ref().cloned()
    }
}

/// The system's words for `error`, without the number that Rust puts after them.
pub(crate) fn words(error: &Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[Errno {}] {}", self.number, self.words)
    }
}

impl std::error::Error for Numbered {}
