//! What comes back from a worker.

use std::any::Any;

use serde::de::DeserializeOwned;

use super::error::JobError;
use crate::reduction::{Message, loads};

/// The list of results of one task.
pub(super) enum Results {
    /// From another process.
    Encoded(Message),
    /// From a thread: a `Vec` of the results' type.
    Values(Box<dyn Any + Send>),
}

/// Makes values of results, each pool in its way.
pub(super) type Open<R> = fn(Results) -> Result<Vec<R>, JobError>;

/// Opens what a process has sent.
pub(super) fn decode<R: DeserializeOwned>(results: Results) -> Result<Vec<R>, JobError> {
    match results {
        Results::Encoded(Message { bytes, fds }) => Ok(loads(&bytes, fds)?),
        Results::Values(_) => Err(nothing()),
    }
}

/// Opens what a thread has left.
pub(super) fn downcast<R: 'static>(results: Results) -> Result<Vec<R>, JobError> {
    match results {
        Results::Values(values) => Ok(*values.downcast().map_err(|_| nothing())?),
        Results::Encoded(_) => Err(nothing()),
    }
}

/// The error of a worker that kept its result to itself.
pub(super) fn nothing() -> JobError {
    JobError::Encoding("the worker sent no result".into())
}
