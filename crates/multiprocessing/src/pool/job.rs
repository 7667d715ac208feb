//! The result of one job, later.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    /// Whether a part failed.
    failed: bool,
    taken: bool,
    /// What to do when all parts are there, before anybody is told.
    first: Option<Box<dyn FnOnce() + Send>>,
    /// Whether everybody may know.
    complete: bool,
}

impl Parts {
    pub(super) fn new(count: usize) -> Arc<Self> {
        let parts = (0..count).map(|_| None).collect();
        let state = State {
            parts,
            missing: count,
            failed: false,
            taken: false,
            first: None,
            complete: count == 0,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            complete: Condvar::new(),
        })
    }

    pub(super) fn wait(&self, deadline: Deadline) -> bool {
        let mut state = self.state.lock();
        while !state.complete {
            match deadline.instant() {
                None => self.complete.wait(&mut state),
                Some(moment) => {
                    if self.complete.wait_until(&mut state, moment).timed_out() {
                        return state.complete;
                    }
                }
            }
        }
        true
    }

    pub(super) fn ready(&self) -> bool {
        self.state.lock().complete
    }

    /// Whether no part is missing, told or not.
    fn all_in(&self) -> bool {
        self.state.lock().missing == 0
    }

    /// Has `first` run when all parts are there: by whoever brings the last, or now.
    fn set_first(&self, first: Box<dyn FnOnce() + Send>) {
        let mut state = self.state.lock();
        if state.missing > 0 {
            state.first = Some(first);
            return;
        }
        // Somebody may be at an earlier one, which was set before the last part came.
        while !state.complete {
            self.complete.wait(&mut state);
        }
        drop(state);
        first();
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
        if state.missing > 0 || state.complete {
            return;
        }
        if let Some(first) = state.first.take() {
            drop(state);
            first();
            state = self.state.lock();
        }
        state.complete = true;
        self.complete.notify_all();
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
pub struct AsyncResult<R>(Arc<Shared<R>>);

/// A result, and who wants to be told of it.
struct Shared<R> {
    parts: Arc<Parts>,
    join: Join<R>,
    callbacks: Mutex<Callbacks<R>>,
    /// What the callbacks were told, until somebody takes it.
    told: Mutex<Option<Result<R, JobError>>>,
}

struct Callbacks<R> {
    /// Whether the parts know that they are to be called.
    set: bool,
    success: Vec<Callback<R>>,
    error: Vec<Callback<JobError>>,
}

type Callback<T> = Box<dyn FnOnce(&T) + Send>;

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
        Self::new(parts, Box::new(one))
    }
}

impl<R: 'static> MapResult<R> {
    /// The results of all parts.
    pub(super) fn of_all(parts: Arc<Parts>, open: Open<R>) -> Self {
        Self::new(parts, Box::new(move |parts| join(parts, open)))
    }
}

impl<R> AsyncResult<R> {
    fn new(parts: Arc<Parts>, join: Join<R>) -> Self {
        let callbacks = Callbacks {
            set: false,
            success: Vec::new(),
            error: Vec::new(),
        };
        Self(Arc::new(Shared {
            parts,
            join,
            callbacks: Mutex::new(callbacks),
            told: Mutex::new(None),
        }))
    }

    /// Blocks until the job is done or `timeout` has passed, and takes its result.
    ///
    /// # Errors
    /// [`JobError`] if it failed, and [`JobError::NotReady`] if it is not done yet.
    pub fn get<T: Into<Timeout>>(&self, timeout: T) -> Result<R, JobError> {
        if !self.wait(timeout) {
            return Err(JobError::NotReady);
        }
        self.0.take()
    }

    /// Blocks until the job is done or `timeout` has passed; says whether it is done.
    ///
    /// A negative timeout does not block.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> bool {
        self.0.parts.wait(timeout.into().deadline())
    }

    /// Whether the job is done.
    pub fn ready(&self) -> bool {
        self.0.parts.ready()
    }

    /// Whether the job is done and did not fail.
    ///
    /// # Errors
    /// [`JobError::NotReady`] if it is not done: Python's `ValueError`.
    pub fn successful(&self) -> Result<bool, JobError> {
        if self.ready() {
            Ok(!self.0.parts.failed())
        } else {
            Err(JobError::NotReady)
        }
    }
}

impl<R: Send + 'static> AsyncResult<R> {
    /// Has `callback` called with the result as soon as it is there, before [`get`](Self::get)
    /// returns it: Python's `callback`. At once, if it is there already.
    ///
    /// It runs in the thread that collects the pool's results, so it must be quick. A panic in it is
    /// printed and ends there.
    #[must_use = "the result is what comes later"]
    pub fn with_callback<F: FnOnce(&R) + Send + 'static>(self, callback: F) -> Self {
        self.0.callbacks.lock().success.push(Box::new(callback));
        self.tell()
    }

    /// Has `callback` called with the error if the job fails: Python's `error_callback`. Otherwise as
    /// [`with_callback`](Self::with_callback).
    #[must_use = "the result is what comes later"]
    pub fn with_error_callback<F: FnOnce(&JobError) + Send + 'static>(self, callback: F) -> Self {
        self.0.callbacks.lock().error.push(Box::new(callback));
        self.tell()
    }

    /// Sees to it that the callbacks are called.
    fn tell(self) -> Self {
        let known = std::mem::replace(&mut self.0.callbacks.lock().set, true);
        if !known || self.0.parts.all_in() {
            let shared = self.0.clone();
            self.0.parts.set_first(Box::new(move || shared.call_back()));
        }
        self
    }
}

impl<R> Shared<R> {
    /// Takes the result, of which the callbacks may know.
    fn take(&self) -> Result<R, JobError> {
        if let Some(told) = self.told.lock().take() {
            return told;
        }
        (self.join)(self.parts.take().ok_or(JobError::Taken)?)
    }

    fn call_back(&self) {
        let result = self.take();
        let mut callbacks = self.callbacks.lock();
        let (success, error) = (
            std::mem::take(&mut callbacks.success),
            std::mem::take(&mut callbacks.error),
        );
        drop(callbacks);
        // The panic hook prints what a callback panics with; the pool goes on.
        match &result {
            Ok(result) => success.into_iter().for_each(|callback| {
                let _ = catch_unwind(AssertUnwindSafe(|| callback(result)));
            }),
            // Taken by an earlier `get`: nobody has it to tell.
            Err(JobError::Taken) => return,
            Err(failure) => error.into_iter().for_each(|callback| {
                let _ = catch_unwind(AssertUnwindSafe(|| callback(failure)));
            }),
        }
        *self.told.lock() = Some(result);
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
