//! The results of a map, later.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use hilos_core::time::Timeout;
use serde::de::DeserializeOwned;

use super::error::JobError;
use super::job::{Parts, decode};

/// The results of a map, when all are there; made by [`Pool::map_async`](super::Pool::map_async).
///
/// Mirrors [`multiprocessing.pool.MapResult`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.AsyncResult).
pub struct MapResult<R> {
    pub(super) parts: Arc<Parts>,
    pub(super) result: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> MapResult<R> {
    /// Blocks until all jobs are done or `timeout` has passed, and takes the results in the order
    /// of the arguments.
    ///
    /// # Errors
    /// [`JobError`] of the first argument that failed; all the others were run nevertheless.
    /// [`JobError::NotReady`] if they are not done yet.
    pub fn get<T: Into<Timeout>>(&self, timeout: T) -> Result<Vec<R>, JobError> {
        if !self.wait(timeout) {
            return Err(JobError::NotReady);
        }
        decode(self.parts.take().ok_or(JobError::Taken)?)
    }
}

impl<R> MapResult<R> {
    /// Blocks until all jobs are done or `timeout` has passed; says whether they are done.
    ///
    /// A negative timeout does not block.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> bool {
        self.parts.wait(timeout.into().deadline())
    }

    /// Whether all jobs are done.
    pub fn ready(&self) -> bool {
        self.parts.ready()
    }

    /// Whether all jobs are done and none failed.
    ///
    /// # Errors
    /// [`JobError::NotReady`] if they are not done: Python's `ValueError`.
    pub fn successful(&self) -> Result<bool, JobError> {
        if self.ready() {
            Ok(!self.parts.failed())
        } else {
            Err(JobError::NotReady)
        }
    }
}

impl<R> fmt::Debug for MapResult<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapResult")
            .field("ready", &self.ready())
            .finish()
    }
}
