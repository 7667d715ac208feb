//! `concurrent.futures.Executor`.

use crate::error::RuntimeError;
use crate::future::Future;

/// Runs calls of type `C` elsewhere, and promises their results.
///
/// Use it to write a function that works with any executor, or an executor of one's own. What a
/// call is, depends on the executor: for a pool of threads it is any closure. The methods of the
/// executors themselves do the same and more, and need no import of this trait.
///
/// ```
/// # use hilos_futures as futures;
/// use futures::{Executor, Future, FutureError, RuntimeError, ThreadPoolExecutor};
///
/// /// Runs a call at once.
/// struct Inline;
///
/// impl<T, F: FnOnce() -> T> Executor<F> for Inline {
///     type Output = T;
///
///     fn submit(&self, call: F) -> Result<Future<T>, RuntimeError> {
///         let future = Future::new();
///         future.set_running_or_notify_cancel()?;
///         future.set_result(call()).expect("nobody else has the future");
///         Ok(future)
///     }
///
///     fn shutdown(&self, _wait: bool) {}
///
///     fn shutdown_cancel_futures(&self, _wait: bool) {}
/// }
///
/// fn answer<E: Executor<fn() -> i32, Output = i32>>(executor: &E) -> Result<i32, FutureError> {
///     executor.submit(|| 6 * 7)?.result(None)
/// }
///
/// assert_eq!(answer(&Inline)?, 42);
/// assert_eq!(answer(&ThreadPoolExecutor::new(1)?)?, 42);
/// # Ok::<(), FutureError>(())
/// ```
///
/// # Differences from Python
/// - `map` is left to each executor, because what it may be given differs.
///
/// Mirrors [`concurrent.futures.Executor`](https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.Executor).
pub trait Executor<C> {
    /// What the call returns.
    type Output;

    /// Has `call` run, and returns the future of its result.
    ///
    /// # Errors
    /// [`RuntimeError`] if the executor is shut down or broken, or if the program ends.
    fn submit(&self, call: C) -> Result<Future<Self::Output>, RuntimeError>;

    /// Takes no more calls and, if `wait` says so, blocks until those that were submitted are done.
    fn shutdown(&self, wait: bool);

    /// Like [`shutdown`](Self::shutdown), and cancels the calls that have not begun.
    fn shutdown_cancel_futures(&self, wait: bool);
}
