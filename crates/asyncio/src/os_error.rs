//! What the system refuses, under Python's names.

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
    let number = error.raw_os_error().unwrap_or_default();
    let text = format!("[Errno {number}] {message}");
    os_error(Error::new(error.kind(), text))
}
