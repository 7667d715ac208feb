//! `concurrent.futures.ThreadPoolExecutor`.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hilos_core::panic::finally;
use hilos_threading::{Exception, Outcome, Thread};

use crate::error::{FutureError, RuntimeError, ValueError, exception};
use crate::executor::Executor;
use crate::future::Future;
use crate::map::{Map, Refill};
use crate::pool::Pool;
use crate::work::Call;

/// Runs calls in a limited number of threads.
///
/// Use it for work that waits, such as downloads, and for work on several processors: Rust has no
/// lock around the interpreter. A worker is started only when a call comes in and none is idle.
///
/// A handle: clones are the same pool. When the last one is dropped, no call can come any more; the
/// calls that were submitted are run, and nobody waits for that except the program at its end. To
/// wait, as Python's `with` block does, use [`with`](Self::with) or [`shutdown`](Self::shutdown).
///
/// ```
/// # use hilos_futures as futures;
/// use futures::{FutureError, ThreadPoolExecutor};
///
/// let total = ThreadPoolExecutor::new(2)?.with(|executor| {
///     let double = executor.submit(|| 21 * 2)?;
///     let squares: Vec<i32> = executor.map(|n| n * n, 1..=3)?.collect::<Result<_, _>>()?;
///     Ok::<_, FutureError>(double.result(None)? + squares.iter().sum::<i32>())
/// })?;
/// assert_eq!(total, 56);
/// # Ok::<(), FutureError>(())
/// ```
///
/// # Differences from Python
/// - Arguments travel in the closure, those of the initializer too.
/// - A call that returns a `Result` is submitted with [`try_submit`](Self::try_submit), so that
///   its error becomes the future's exception.
/// - If the system refuses a thread, the workers that there are do the work; `submit` fails only
///   if there are none.
/// - A failing initializer is reported to `threading.excepthook`; Python has a logger.
///
/// Mirrors [`concurrent.futures.ThreadPoolExecutor`](https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.ThreadPoolExecutor).
#[derive(Clone)]
pub struct ThreadPoolExecutor {
    handle: Arc<Handle>,
}

/// What the handles of a pool share, but its workers do not: closes the pool when it is dropped.
struct Handle {
    pool: Arc<Pool>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.pool.close(false);
    }
}

impl ThreadPoolExecutor {
    /// Creates an executor of up to `max_workers` threads.
    ///
    /// `None` stands for four more than the processors that the process may use, but no more than
    /// 32; so does [`default`](Self::default).
    ///
    /// # Errors
    /// [`ValueError::MaxWorkers`] if it is 0.
    pub fn new<N: Into<Option<usize>>>(max_workers: N) -> Result<Self, ValueError> {
        static EXECUTORS: AtomicU64 = AtomicU64::new(0);

        let max_workers = max_workers.into().unwrap_or_else(default_workers);
        if max_workers == 0 {
            return Err(ValueError::MaxWorkers);
        }
        let number = EXECUTORS.fetch_add(1, Ordering::Relaxed);
        let name = format!("ThreadPoolExecutor-{number}");
        let pool = Pool::new(max_workers, name, Arc::new(|| Ok(())));
        let handle = Arc::new(Handle { pool });
        Ok(Self { handle })
    }

    /// Names the workers `prefix_0` and so on, those that are not started yet.
    ///
    /// Without it, or if it is empty, they are named `ThreadPoolExecutor-0_0`.
    #[must_use]
    pub fn with_thread_name_prefix<N: Into<String>>(self, prefix: N) -> Self {
        let prefix = prefix.into();
        if !prefix.is_empty() {
            self.pool().set_thread_name_prefix(prefix);
        }
        self
    }

    /// Has every worker that is not started yet call `initializer` before its first call.
    ///
    /// If it panics or returns an `Err`, the pool is broken: the futures that are pending fail with
    /// [`BrokenThreadPool`](crate::BrokenThreadPool), and so does whoever submits a call later.
    #[must_use]
    pub fn with_initializer<F, R>(self, initializer: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Outcome,
    {
        let begin = move || initializer().into_exception().map_or(Ok(()), Err);
        self.pool().set_begin(Arc::new(begin));
        self
    }

    /// Has a worker call `function`, and returns the future of what it returns.
    ///
    /// A panic in it is the future's exception. So is not an `Err` that it returns, which is a
    /// value like any other here: use [`try_submit`](Self::try_submit) for that.
    ///
    /// # Errors
    /// [`RuntimeError`] if the executor is shut down or broken, if the program ends, or if the
    /// system refuses the executor's first thread; `function` is dropped.
    pub fn submit<F, T>(&self, function: F) -> Result<Future<T>, RuntimeError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        submit(self.pool(), move || Ok(function()))
    }

    /// Like [`submit`](Self::submit), for a function that may fail as Python's do by raising.
    ///
    /// The future's result is the value of the `Ok`; an `Err` is its
    /// [`exception`](Future::exception), for which `FIRST_EXCEPTION` looks.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn try_submit<F, T, E>(&self, function: F) -> Result<Future<T>, RuntimeError>
    where
        F: FnOnce() -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        submit(self.pool(), move || function().map_err(exception))
    }

    /// Has the workers call `function` with every item, and returns the results in order.
    ///
    /// All calls are submitted at once; to limit them, use [`map_buffersize`](Self::map_buffersize).
    /// For several arguments, zip their iterators.
    ///
    /// # Errors
    /// As [`submit`](Self::submit); the calls that were submitted before are run.
    pub fn map<F, I, T>(&self, function: F, items: I) -> Result<Map<'static, T>, RuntimeError>
    where
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        I: IntoIterator<Item: Send + 'static>,
        T: Send + 'static,
    {
        map(self.pool(), move |item| Ok(function(item)), items)
    }

    /// Like [`map`](Self::map), for a function that may fail, as in [`try_submit`](Self::try_submit).
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn try_map<F, I, T, E>(
        &self,
        function: F,
        items: I,
    ) -> Result<Map<'static, T>, RuntimeError>
    where
        F: Fn(I::Item) -> Result<T, E> + Send + Sync + 'static,
        I: IntoIterator<Item: Send + 'static>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        map(
            self.pool(),
            move |item| function(item).map_err(exception),
            items,
        )
    }

    /// Like [`map`](Self::map), but takes items only as results are asked for.
    ///
    /// Up to `buffersize` calls are submitted before; each result that is asked for adds one.
    /// The items may thus be many, or without an end. If the executor is dropped or shut down
    /// before the items are used up, the iterator ends with an error.
    ///
    /// # Errors
    /// [`FutureError::Value`] if `buffersize` is 0, or as [`map`](Self::map).
    pub fn map_buffersize<'a, F, I, T>(
        &self,
        function: F,
        items: I,
        buffersize: usize,
    ) -> Result<Map<'a, T>, FutureError>
    where
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        I: IntoIterator<Item: Send + 'static, IntoIter: Send + 'a>,
        T: Send + 'static,
    {
        map_buffersize(
            self.pool(),
            move |item| Ok(function(item)),
            items,
            buffersize,
        )
    }

    /// Like [`map_buffersize`](Self::map_buffersize), for a function that may fail, as in
    /// [`try_submit`](Self::try_submit).
    ///
    /// # Errors
    /// As [`map_buffersize`](Self::map_buffersize).
    pub fn try_map_buffersize<'a, F, I, T, E>(
        &self,
        function: F,
        items: I,
        buffersize: usize,
    ) -> Result<Map<'a, T>, FutureError>
    where
        F: Fn(I::Item) -> Result<T, E> + Send + Sync + 'static,
        I: IntoIterator<Item: Send + 'static, IntoIter: Send + 'a>,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let function = move |item| function(item).map_err(exception);
        map_buffersize(self.pool(), function, items, buffersize)
    }

    /// Takes no more calls and, if `wait` says so, blocks until those that were submitted are done.
    ///
    /// May be called several times. One of the pool's own workers does not wait for itself.
    ///
    /// # Blocking
    /// Without a limit if `wait` is true.
    pub fn shutdown(&self, wait: bool) {
        self.close(wait, false);
    }

    /// Like [`shutdown`](Self::shutdown), and cancels the calls that have not begun; Python's
    /// `shutdown(cancel_futures=True)`.
    ///
    /// # Blocking
    /// As [`shutdown`](Self::shutdown).
    ///
    /// # Differences from Python
    /// Who waits for one of the cancelled futures with [`wait`](crate::wait()) or
    /// [`as_completed`](crate::as_completed()) is told; in CPython it waits for ever.
    pub fn shutdown_cancel_futures(&self, wait: bool) {
        self.close(wait, true);
    }

    /// Calls `f` with the executor and then [`shutdown(true)`](Self::shutdown), also if `f`
    /// panics: Python's `with` block.
    ///
    /// # Blocking
    /// As [`shutdown`](Self::shutdown).
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> R {
        finally(|| f(self), || self.shutdown(true))
    }

    /// How many threads there may be.
    pub fn max_workers(&self) -> usize {
        self.pool().max_workers()
    }

    /// The workers that were started so far, also those that have ended; Python's `_threads`.
    pub fn threads(&self) -> Vec<Thread> {
        self.pool().workers()
    }

    fn pool(&self) -> &Arc<Pool> {
        &self.handle.pool
    }

    fn close(&self, wait: bool, cancel: bool) {
        self.pool().close(cancel);
        if wait {
            self.pool().join();
        }
    }
}

/// Python's default for work that waits as well as for work that computes.
fn default_workers() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (processors + 4).min(32)
}

fn submit<T: Send + 'static>(
    pool: &Arc<Pool>,
    function: impl FnOnce() -> Result<T, Exception> + Send + 'static,
) -> Result<Future<T>, RuntimeError> {
    let future = Future::new();
    let call = Call {
        function,
        future: future.clone(),
    };
    pool.submit(Box::new(call))?;
    Ok(future)
}

/// Submits the call of one function with each of several items.
fn submit_each<A, T, F>(
    pool: &Arc<Pool>,
    function: F,
) -> impl FnMut(A) -> Result<Future<T>, RuntimeError> + use<A, T, F>
where
    A: Send + 'static,
    T: Send + 'static,
    F: Fn(A) -> Result<T, Exception> + Send + Sync + 'static,
{
    // The results' iterator keeps neither the executor nor its workers alive.
    let (pool, function) = (Arc::downgrade(pool), Arc::new(function));
    move |item| {
        let pool = pool.upgrade().ok_or(RuntimeError::AfterShutdown)?;
        let function = function.clone();
        submit(&pool, move || function(item))
    }
}

fn map<I, T>(
    pool: &Arc<Pool>,
    function: impl Fn(I::Item) -> Result<T, Exception> + Send + Sync + 'static,
    items: I,
) -> Result<Map<'static, T>, RuntimeError>
where
    I: IntoIterator<Item: Send + 'static>,
    T: Send + 'static,
{
    let called = Instant::now();
    let submit = submit_each(pool, function);
    let futures = items.into_iter().map(submit).collect::<Result<_, _>>()?;
    Ok(Map::new(futures, None, called))
}

fn map_buffersize<'a, I, T>(
    pool: &Arc<Pool>,
    function: impl Fn(I::Item) -> Result<T, Exception> + Send + Sync + 'static,
    items: I,
    buffersize: usize,
) -> Result<Map<'a, T>, FutureError>
where
    I: IntoIterator<Item: Send + 'static, IntoIter: Send + 'a>,
    T: Send + 'static,
{
    if buffersize == 0 {
        return Err(ValueError::BufferSize.into());
    }
    let called = Instant::now();
    let mut submitted = items.into_iter().map(submit_each(pool, function));
    let futures: Result<VecDeque<_>, _> = submitted.by_ref().take(buffersize).collect();
    let refill: Refill<'a, T> = Box::new(move || submitted.next());
    Ok(Map::new(futures?, Some(refill), called))
}

impl<F, T> Executor<F> for ThreadPoolExecutor
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    fn submit(&self, call: F) -> Result<Future<T>, RuntimeError> {
        self.submit(call)
    }

    fn shutdown(&self, wait: bool) {
        self.shutdown(wait);
    }

    fn shutdown_cancel_futures(&self, wait: bool) {
        self.shutdown_cancel_futures(wait);
    }
}

impl Default for ThreadPoolExecutor {
    /// Python's `ThreadPoolExecutor()`.
    fn default() -> Self {
        Self::new(None).expect("the default is not 0")
    }
}

impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pending, idle) = self.pool().waiting();
        f.debug_struct("ThreadPoolExecutor")
            .field("max_workers", &self.max_workers())
            .field("threads", &self.threads().len())
            .field("idle", &idle)
            .field("pending", &pending)
            .finish()
    }
}
