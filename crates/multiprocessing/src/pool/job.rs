//! The result of one job, later.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::time::{Deadline, Timeout};
use parking_lot::{Condvar, Mutex};
use serde::de::DeserializeOwned;

use super::error::JobError;
use super::task::Sink;
use crate::reduction::{Message, loads};

/// The results of the parts of a job, as they come in.
pub(super) struct Parts {
    state: Mutex<State>,
    complete: Condvar,
}

struct State {
    parts: Vec<Option<Result<Message, JobError>>>,
    missing: usize,
    /// The first part that failed.
    failed: bool,
    taken: bool,
}

impl Parts {
    pub(super) fn new(count: usize) -> Arc<Self> {
        let parts = (0..count).map(|_| None).collect();
        let state = State {
            parts,
            missing: count,
            failed: false,
            taken: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            complete: Condvar::new(),
        })
    }

    pub(super) fn wait(&self, deadline: Deadline) -> bool {
        let mut state = self.state.lock();
        while state.missing > 0 {
            match deadline.instant() {
                None => self.complete.wait(&mut state),
                Some(moment) => {
                    if self.complete.wait_until(&mut state, moment).timed_out() {
                        return state.missing == 0;
                    }
                }
            }
        }
        true
    }

    pub(super) fn ready(&self) -> bool {
        self.state.lock().missing == 0
    }

    pub(super) fn failed(&self) -> bool {
        self.state.lock().failed
    }

    /// Takes the results; `None` if they were taken before.
    pub(super) fn take(&self) -> Option<Vec<Result<Message, JobError>>> {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.taken, true) {
            return None;
        }
        Some(
            std::mem::take(&mut state.parts)
                .into_iter()
                .flatten()
                .collect(),
        )
    }
}

impl Sink for Parts {
    fn deliver(&self, part: usize, result: Result<Message, JobError>) {
        let mut state = self.state.lock();
        state.failed |= result.is_err();
        if state.parts[part].replace(result).is_none() {
            state.missing -= 1;
        }
        if state.missing == 0 {
            self.complete.notify_all();
        }
    }
}

/// Decodes the results of several parts into one list, or says what failed first.
fn decode<R: DeserializeOwned>(parts: Vec<Result<Message, JobError>>) -> Result<Vec<R>, JobError> {
    let mut results = Vec::new();
    for part in parts {
        let Message { bytes, fds } = part?;
        results.extend(loads::<Vec<R>>(&bytes, fds)?);
    }
    Ok(results)
}

/// The result of a job, when it is there; made by [`Pool::apply_async`](super::Pool::apply_async).
///
/// Mirrors [`multiprocessing.pool.AsyncResult`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.AsyncResult).
pub struct AsyncResult<R> {
    parts: Arc<Parts>,
    decode: Decode<R>,
}

/// The results of a map, when all are there, in the order of the items; made by
/// [`Pool::map_async`](super::Pool::map_async).
///
/// Its error is that of the first item that failed; all the others were run nevertheless.
pub type MapResult<R> = AsyncResult<Vec<R>>;

type Decode<R> = fn(Vec<Result<Message, JobError>>) -> Result<R, JobError>;

impl<R: DeserializeOwned> AsyncResult<R> {
    /// The result of a job of one part.
    pub(super) fn of_one(parts: Arc<Parts>) -> Self {
        let one = |parts| {
            let nothing = || JobError::Encoding("the worker sent no result".into());
            decode(parts)?.pop().ok_or_else(nothing)
        };
        Self { parts, decode: one }
    }
}

impl<R: DeserializeOwned> MapResult<R> {
    /// The results of all parts.
    pub(super) fn of_all(parts: Arc<Parts>) -> Self {
        Self { parts, decode }
    }
}

impl<R> AsyncResult<R> {
    /// Blocks until the job is done or `timeout` has passed, and takes its result.
    ///
    /// # Errors
    /// [`JobError`] if it failed, and [`JobError::NotReady`] if it is not done yet.
    pub fn get<T: Into<Timeout>>(&self, timeout: T) -> Result<R, JobError> {
        if !self.wait(timeout) {
            return Err(JobError::NotReady);
        }
        (self.decode)(self.parts.take().ok_or(JobError::Taken)?)
    }

    /// Blocks until the job is done or `timeout` has passed; says whether it is done.
    ///
    /// A negative timeout does not block.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> bool {
        self.parts.wait(timeout.into().deadline())
    }

    /// Whether the job is done.
    pub fn ready(&self) -> bool {
        self.parts.ready()
    }

    /// Whether the job is done and did not fail.
    ///
    /// # Errors
    /// [`JobError::NotReady`] if it is not done: Python's `ValueError`.
    pub fn successful(&self) -> Result<bool, JobError> {
        if self.ready() {
            Ok(!self.parts.failed())
        } else {
            Err(JobError::NotReady)
        }
    }
}

impl<R> fmt::Debug for AsyncResult<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncResult")
            .field("ready", &self.ready())
            .finish()
    }
}

/// How long a job may take, from a timeout; none if it is for ever.
pub(super) fn limit(timeout: Timeout) -> Option<Duration> {
    timeout
        .seconds()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
}
