//! What can go wrong with a cluster, before there are jobs.

use std::fmt;

use crate::engine::Fault;

/// Why there is no connection to a cluster, or no worker.
///
/// What can happen to a job is a [`JobError`](hilos_multiprocessing::pool::JobError), as it is in a
/// local pool.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The server's URL is none: Python's `ValueError`.
    Url(String),
    /// An argument that does not fit: Python's `ValueError`.
    Value(String),
    /// The server cannot be reached, or refuses: Python's `ConnectionError`.
    Server(String),
    /// A worker's process or its initializer failed.
    Worker(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Url(text) | Self::Value(text) | Self::Server(text) | Self::Worker(text)) = self;
        f.write_str(text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Url(_) | Self::Value(_) => "ValueError",
            Self::Server(_) => "ConnectionError",
            Self::Worker(_) => "RuntimeError",
        };
        write!(f, "{name}: {self}")
    }
}

impl std::error::Error for Error {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let (Fault::Lost(reason) | Fault::Refused(reason)) = fault;
        Self::Server(reason)
    }
}
