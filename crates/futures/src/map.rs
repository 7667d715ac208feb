//! The results of `Executor.map`.

use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::time::{Duration, Instant};

use hilos_core::time::{Deadline, Timeout};

use crate::error::{FutureError, RuntimeError};
use crate::future::Future;

/// Submits the call for the next item; `None` if there are no more.
pub(crate) type Refill<'a, T> =
    Box<dyn FnMut() -> Option<Result<Future<T>, RuntimeError>> + Send + 'a>;

/// The results of a map, in the order of its items; made by
/// [`ThreadPoolExecutor::map`](crate::ThreadPoolExecutor::map).
///
/// A call that failed yields its error in its place, and the results of the others follow. Once the
/// first result was asked for, dropping the iterator cancels the calls that have not begun; one
/// that nobody ever asked leaves them all to run.
///
/// # Blocking
/// `next` blocks until the result is there, or the time that
/// [`with_timeout`](Self::with_timeout) gave is over.
///
/// # Differences from Python
/// - CPython before 3.16 ends the iterator after the first error.
pub struct Map<'a, T> {
    /// Of the calls that were submitted and whose results were not asked for.
    futures: VecDeque<Future<T>>,
    /// Where more come from, with a buffer of limited size.
    refill: Option<Refill<'a, T>>,
    /// When the map was asked for.
    called: Instant,
    deadline: Deadline,
    /// Whether a result was asked for.
    iterating: bool,
}

impl<'a, T> Map<'a, T> {
    pub(crate) fn new(
        futures: VecDeque<Future<T>>,
        refill: Option<Refill<'a, T>>,
        called: Instant,
    ) -> Self {
        Self {
            futures,
            refill,
            called,
            deadline: Deadline::NEVER,
            iterating: false,
        }
    }

    /// The results of calls that have been submitted, for executors of other crates.
    #[doc(hidden)]
    pub fn of_futures(futures: VecDeque<Future<T>>, called: Instant) -> Self {
        Self::new(futures, None, called)
    }

    /// Gives all results together this long, counted from the call of `map`.
    ///
    /// The result that is not there then is a [`FutureError::Timeout`], and the last: the calls
    /// that have not begun are cancelled.
    #[must_use = "it is the same iterator, with a timeout"]
    pub fn with_timeout<D: Into<Timeout>>(mut self, timeout: D) -> Self {
        // The clock has run since `map` was called, not since this call.
        self.deadline = timeout
            .into()
            .seconds()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
            .and_then(|timeout| self.called.checked_add(timeout))
            .map_or(Deadline::NEVER, Deadline::at);
        self
    }

    /// Cancels the calls that have not begun, and ends the iterator.
    pub fn close(&mut self) {
        self.refill = None;
        for future in self.futures.drain(..) {
            future.cancel();
        }
    }

    /// Keeps the buffer full.
    fn top_up(&mut self) -> Result<(), RuntimeError> {
        if let Some(refill) = &mut self.refill {
            match refill() {
                Some(future) => self.futures.push_back(future?),
                None => self.refill = None,
            }
        }
        Ok(())
    }
}

impl<T> Iterator for Map<'_, T> {
    type Item = Result<T, FutureError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.iterating = true;
        if let Err(error) = self.top_up() {
            self.close();
            return Some(Err(error.into()));
        }
        let future = self.futures.pop_front()?;
        let result = future.result_until(self.deadline);
        if matches!(result, Err(FutureError::Timeout(_))) {
            future.cancel();
            self.close();
        }
        Some(result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let known = self.futures.len();
        (known.min(1), self.refill.is_none().then_some(known))
    }
}

impl<T> FusedIterator for Map<'_, T> {}

impl<T> Drop for Map<'_, T> {
    fn drop(&mut self) {
        if self.iterating {
            self.close();
        }
    }
}

impl<T> fmt::Debug for Map<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("submitted", &self.futures.len())
            .finish()
    }
}
