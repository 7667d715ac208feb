//! How a process failed.

use std::fmt;

use hilos_threading::Exception;
use serde::{Deserialize, Serialize};

/// Why a process did not do what it should, as [`Process::result`](crate::Process::result) tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessFailure {
    /// Its function panicked or returned an error.
    Failed(Failure),
    /// It ended with another exit code than 0.
    Exited {
        /// What it returned to the system.
        exitcode: i32,
    },
    /// A signal killed it.
    Killed {
        /// The signal's number.
        signal: i32,
        /// The most memory that it had, in KiB.
        peak_kib: i64,
    },
}

/// A panic in a process, or an error that its function returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub(crate) type_name: String,
    pub(crate) message: String,
    pub(crate) place: Option<String>,
    pub(crate) backtrace: Option<String>,
}

/// More of a backtrace than this is not sent: the socket must take the report without a reader.
const LONGEST: usize = 64 * 1024;

impl Failure {
    /// The name of the error's type; `panic` for a panic.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// What the panic or the error said.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the panic was raised: file, line and column.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// How the panic came about, if `RUST_BACKTRACE` asked for it.
    pub fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }

    pub(crate) fn new(type_name: &str, message: impl fmt::Display) -> Self {
        let (type_name, message) = (type_name.to_owned(), message.to_string());
        Self {
            type_name,
            message,
            place: None,
            backtrace: None,
        }
    }
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        let mut failure = Self::new(exception.type_name(), &exception);
        if let Some(panic) = exception.panic() {
            failure.place = panic.place().map(ToString::to_string);
            failure.backtrace = panic.backtrace().map(|trace| shorten(trace.to_string()));
        }
        failure.message = shorten(failure.message);
        failure
    }
}

fn shorten(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.type_name, self.message)
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for ProcessFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::Exited { exitcode } => write!(f, "the process exited with code {exitcode}"),
            Self::Killed { signal, peak_kib } => {
                let name = signal_name(*signal);
                let peak = peak_kib / 1024;
                write!(
                    f,
                    "the process was killed by {name} (peak memory {peak} MiB)"
                )
            }
        }
    }
}

impl std::error::Error for ProcessFailure {}

/// `SIGKILL` for 9, and so on.
pub(crate) fn signal_name(signal: i32) -> String {
    match nix::sys::signal::Signal::try_from(signal) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {signal}"),
    }
}
