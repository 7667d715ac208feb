//! The result of one job, later.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::time::Timeout;

use super::error::JobError;
use super::function::run;
use super::hook;
use super::parts::{Outcome, Part, Parts};
use super::results::{Open, nothing};
use super::task::Sink;

/// Puts the results of several parts into one list, or says what failed first.
fn join<R>(parts: Vec<Option<Part>>, open: Open<R>) -> Result<Vec<R>, JobError> {
    let mut results = Vec::new();
    for part in parts.into_iter().flatten() {
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

type Join<R> = Arc<dyn Fn(Vec<Option<Part>>) -> Result<R, JobError> + Send + Sync>;

impl<R: 'static> AsyncResult<R> {
    /// The result of a job of one part.
    pub(super) fn of_one(parts: Arc<Parts>, open: Open<R>) -> Self {
        let one = move |parts| join(parts, open)?.pop().ok_or_else(nothing);
        let join = Arc::new(one);
        Self { parts, join }
    }
}

impl<R: 'static> MapResult<R> {
    /// The results of all parts.
    pub(super) fn of_all(parts: Arc<Parts>, open: Open<R>) -> Self {
        let join = Arc::new(move |parts| join(parts, open));
        Self { parts, join }
    }
}

impl<R: 'static> AsyncResult<R> {
    /// Blocks until the job is done or `timeout` has passed, and takes its result.
    ///
    /// # Errors
    /// [`JobError`] if it failed, and [`JobError::NotReady`] if it is not done yet.
    pub fn get<T: Into<Timeout>>(&self, timeout: T) -> Result<R, JobError> {
        if !self.wait(timeout) {
            return Err(JobError::NotReady);
        }
        open(&self.join, self.parts.take().ok_or(JobError::Taken)?)
    }

    /// Has `callback` called with the result when the job is done, or now if it is done already.
    ///
    /// It is called once, unless the job fails, and before those who wait for the job go on; also
    /// if this object is dropped. The result is still there for [`get`](Self::get). Several callbacks are called in the order in
    /// which they came. A panic in one goes to
    /// [`threading.excepthook`](hilos_threading::excepthook) and harms nothing.
    ///
    /// ```
    /// # use hilos_multiprocessing as multiprocessing;
    /// use std::sync::mpsc::channel;
    ///
    /// let pool = multiprocessing::Pool::new(2)?;
    /// let (results, collected) = channel();
    /// for n in 0..10_i64 {
    ///     let results = results.clone();
    ///     let job = pool.apply_async(|n: i64| n * n, (n,)).unwrap();
    ///     job.with_callback(move |square| results.send(*square).unwrap());
    /// }
    /// drop(results);
    /// assert_eq!(collected.iter().sum::<i64>(), 285);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Blocking
    /// The callback runs in the thread in which results arrive, and all others wait meanwhile: one
    /// that takes its time holds up the pool, one that waits for another job waits for ever.
    ///
    /// # Differences from Python
    /// - It may be added later, also when the job is done: then it runs in the caller's thread.
    /// - A map of no items calls it too.
    /// - In CPython an exception in a callback ends the thread that handles results, and nobody
    ///   gets any more.
    ///
    /// Mirrors the argument `callback` of [`Pool.apply_async`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.Pool.apply_async).
    pub fn with_callback<F>(self, callback: F) -> Self
    where
        F: FnOnce(&R) + Send + 'static,
        R: Send,
    {
        self.call_back(|result| {
            if let Ok(result) = result {
                callback(result);
            }
        })
    }

    /// Like [`with_callback`](Self::with_callback), but called with the error if the job fails.
    ///
    /// # Differences from Python
    /// Jobs that a terminated pool drops call it too, in the thread that terminates the pool.
    pub fn with_error_callback<F>(self, callback: F) -> Self
    where
        F: FnOnce(&JobError) + Send + 'static,
        R: Send,
    {
        self.call_back(|result| {
            if let Err(error) = result {
                callback(error);
            }
        })
    }

    fn call_back<F>(self, callback: F) -> Self
    where
        F: FnOnce(&Result<R, JobError>) + Send + 'static,
        R: Send,
    {
        let join = self.join.clone();
        self.parts.call_back(Box::new(move |outcome| {
            // What the user's types do on the way is guarded too.
            let result = match run(|outcome| open(&join, outcome), vec![outcome]) {
                Ok(mut one) => one.pop().unwrap_or_else(|| Err(nothing())),
                Err(failure) => Err(JobError::Failed(failure)),
            };
            hook::call(|| callback(&result));
            Outcome::Whole(result.map(|result| Box::new(result) as Box<dyn Any + Send>))
        }));
        self
    }
}

/// Makes the result of what the parts come to.
fn open<R: 'static>(join: &Join<R>, outcome: Outcome) -> Result<R, JobError> {
    match outcome {
        Outcome::Parts(parts) => join(parts),
        Outcome::Whole(result) => Ok(*result?.downcast().map_err(|_| nothing())?),
    }
}

impl<R> AsyncResult<R> {
    /// The number of its call.
    pub(super) fn call(&self) -> usize {
        Sink::call(&*self.parts)
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
