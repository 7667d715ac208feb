//! Why a program cannot be looked into.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a program cannot be looked into.
#[derive(Debug)]
#[non_exhaustive]
pub enum ToolsError {
    /// There is no process with this number.
    NoSuchProcess(u32),
    /// The process is no hilos program, or has not called [`serve`](super::serve()).
    NotServing(u32),
    /// The process belongs to another user.
    OtherUser(u32),
    /// The process has not answered in time.
    Timeout(u32),
    /// The tasks await each other in circles, which are no tree: what CPython prints of them.
    Cycles(String),
    /// The system refused.
    Os(io::Error),
}

impl fmt::Display for ToolsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchProcess(pid) => write!(f, "there is no process {pid}"),
            Self::NotServing(pid) => write!(
                f,
                "process {pid} cannot be looked into: it is no hilos program, or does not call \
                 asyncio::tools::serve()"
            ),
            Self::OtherUser(pid) => write!(f, "process {pid} belongs to another user"),
            Self::Timeout(pid) => write!(f, "process {pid} has not answered in time"),
            Self::Cycles(text) => f.write_str(text),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl Error for ToolsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for ToolsError {
    fn from(error: io::Error) -> Self {
        Self::Os(error)
    }
}

impl From<nix::Error> for ToolsError {
    fn from(error: nix::Error) -> Self {
        Self::Os(error.into())
    }
}
