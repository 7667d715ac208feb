//! The result of one job, later.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::time::{Deadline, Timeout};
use parking_lot::{Condvar, Mutex};

use super::error::JobError;
use super::results::{Open, Results, nothing};
use super::task::Sink;

/// The results of the parts of a job, as they come in.
pub(super) struct Parts {
    state: Mutex<State>,
    complete: Condvar,
}

type Part = Result<Results, JobError>;

struct State {
    parts: Vec<Option<Part>>,
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
    pub(super) fn take(&self) -> Option<Vec<Part>> {
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
    fn deliver(&self, part: usize, result: Part) {
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

/// Puts the results of several parts into one list, or says what failed first.
fn join<R>(parts: Vec<Part>, open: Open<R>) -> Result<Vec<R>, JobError> {
    let mut results = Vec::new();
    for part in parts {
        results.extend(open(part?)?);
    }
    Ok(results)
}

/// The result of a job, when it is there; made by [`Pool::apply_async`](super::Pool::apply_async).
///
/// Mirrors [`multiprocessing.pool.AsyncResult`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.AsyncResult).
pub struct AsyncResult<R> {
    parts: Arc<Parts>,
    join: Join<R>,
}

/// The results of a map, when all are there, in the order of the items; made by
/// [`Pool::map_async`](super::Pool::map_async).
///
/// Its error is that of the first item that failed; all the others were run nevertheless.
pub type MapResult<R> = AsyncResult<Vec<R>>;

type Join<R> = Box<dyn Fn(Vec<Part>) -> Result<R, JobError> + Send + Sync>;

impl<R: 'static> AsyncResult<R> {
    /// The result of a job of one part.
    pub(super) fn of_one(parts: Arc<Parts>, open: Open<R>) -> Self {
        let one = move |parts| join(parts, open)?.pop().ok_or_else(nothing);
        let join = Box::new(one);
        Self { parts, join }
    }
}

impl<R: 'static> MapResult<R> {
    /// The results of all parts.
    pub(super) fn of_all(parts: Arc<Parts>, open: Open<R>) -> Self {
        let join = Box::new(move |parts| join(parts, open));
        Self { parts, join }
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
        (self.join)(self.parts.take().ok_or(JobError::Taken)?)
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
