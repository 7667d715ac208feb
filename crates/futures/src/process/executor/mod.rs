//! `concurrent.futures.ProcessPoolExecutor`.

mod maps;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use hilos_core::panic::finally;
use hilos_multiprocessing::pool::PoolFunction;
use hilos_multiprocessing::remote::Job;
use hilos_multiprocessing::{Process, StartMethod, Target};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::seat::{RemoteCall, Seat, Staff};
use crate::error::{BrokenProcessPool, FutureError, Reason, RuntimeError, ValueError, exception};
use crate::executor::Executor;
use crate::future::Future;
use crate::pool::Pool;

/// Runs calls in a limited number of processes.
///
/// Use it for calls that may crash, that use much memory, or that must not share this process. For
/// calls that only compute, [`ThreadPoolExecutor`](crate::ThreadPoolExecutor) does as well here.
/// A process is started only when a call comes in and none is idle.
///
/// A call is a function, any `fn` or a closure that captures nothing, and a tuple of arguments that
/// can be serialised, as for a [`Process`].
///
/// A handle: clones are the same pool. When the last one is dropped, no call can come any more; the
/// calls that were submitted are run, and nobody waits for that except the program at its end. To
/// wait, as Python's `with` block does, use [`with`](Self::with) or [`shutdown`](Self::shutdown).
///
/// ```
/// # use hilos_futures as futures;
/// use futures::{FutureError, ProcessPoolExecutor};
///
/// let total = ProcessPoolExecutor::new(2)?.with(|executor| {
///     let power = executor.submit(i64::pow, (7, 2))?;
///     let squares: Vec<i64> = executor.map(|n| n * n, 1..=3)?.collect::<Result<_, _>>()?;
///     Ok::<_, FutureError>(power.result(None)? + squares.iter().sum::<i64>())
/// })?;
/// assert_eq!(total, 63);
/// # Ok::<(), FutureError>(())
/// ```
///
/// # When a process dies
/// As in Python, the pool is broken then: every call that was submitted and is not done fails with
/// [`BrokenProcessPool`], and so does whoever submits one later. A
/// [`Pool`](hilos_multiprocessing::Pool) loses only the one job that the process was at.
///
/// # Differences from Python
/// - A future is running when its call has been handed to a process; in CPython also while a few
///   more wait for one, which can then not be cancelled.
/// - A call that returns a `Result` is submitted with [`try_submit`](Self::try_submit), so that
///   its error becomes the future's exception.
/// - A process that dies while it has nothing to do is noticed with its next call.
///
/// Mirrors [`concurrent.futures.ProcessPoolExecutor`](https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.ProcessPoolExecutor).
#[derive(Clone)]
pub struct ProcessPoolExecutor {
    handle: Arc<Handle>,
}

/// What the handles of a pool share, but its workers do not: closes the pool when it is dropped.
struct Handle {
    pool: Arc<Pool<Seat>>,
    staff: Arc<Staff>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.pool.close(false);
    }
}

impl ProcessPoolExecutor {
    /// Creates an executor of up to `max_workers` processes.
    ///
    /// `None` stands for as many as the processors that this process may use; so does
    /// [`default`](Self::default).
    ///
    /// # Errors
    /// [`ValueError::MaxWorkers`] if it is 0.
    pub fn new<N: Into<Option<usize>>>(max_workers: N) -> Result<Self, ValueError> {
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let max_workers = max_workers.into().unwrap_or_else(processors);
        if max_workers == 0 {
            return Err(ValueError::MaxWorkers);
        }
        let staff = Arc::new(Staff::default());
        let theirs = staff.clone();
        let begin = Arc::new(move || Ok(Seat::new(theirs.clone())));
        let pool = Pool::new(max_workers, "ProcessPoolExecutor".to_owned(), begin);
        let handle = Arc::new(Handle { pool, staff });
        Ok(Self { handle })
    }

    /// Sets how processes are started; Python's `mp_context`.
    ///
    /// # Errors
    /// [`ValueError::MaxTasksPerChild`] for `Fork`, if there is a limit of tasks.
    pub fn with_start_method(self, method: StartMethod) -> Result<Self, ValueError> {
        if method == StartMethod::Fork && self.staff().max_tasks().is_some() {
            return Err(ValueError::MaxTasksPerChild);
        }
        self.staff().set_method(method);
        Ok(self)
    }

    /// Replaces each process when it has done so many calls.
    ///
    /// # Errors
    /// [`ValueError::MaxTasksPerChild`] if it is 0, or if processes are started by `Fork`.
    pub fn with_max_tasks_per_child(self, tasks: usize) -> Result<Self, ValueError> {
        if tasks == 0 || self.staff().chosen() == Some(StartMethod::Fork) {
            return Err(ValueError::MaxTasksPerChild);
        }
        self.staff().set_max_tasks(tasks);
        Ok(self)
    }

    /// Has every process that is not started yet call `initializer` with `args` first.
    ///
    /// If it panics or returns an `Err`, the pool is broken.
    ///
    /// # Errors
    /// [`FutureError::Failed`] if the arguments cannot be serialised.
    pub fn with_initializer<F, A>(self, initializer: F, args: A) -> Result<Self, FutureError>
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let job = Job::target(initializer, args).map_err(exception)?;
        self.staff().set_initializer(job);
        Ok(self)
    }

    /// Has a process call `function` with `args`, and returns the future of what it returns.
    ///
    /// A panic in it is the future's exception. So is not an `Err` that it returns, which is a
    /// value like any other here: use [`try_submit`](Self::try_submit) for that.
    ///
    /// # Errors
    /// [`RuntimeError`] if the executor is shut down or broken, or if the program ends. Arguments
    /// that cannot be serialised are the future's exception.
    pub fn submit<F, A, T>(&self, function: F, args: A) -> Result<Future<T>, RuntimeError>
    where
        F: PoolFunction<A, Output = T>,
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        self.one(Job::typed(function, args))
    }

    /// Like [`submit`](Self::submit), for a function that may fail as Python's do by raising.
    ///
    /// The future's result is the value of the `Ok`; an `Err` is its
    /// [`exception`](Future::exception), as a [`RemoteError`](super::RemoteError).
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn try_submit<F, A, T, E>(&self, function: F, args: A) -> Result<Future<T>, RuntimeError>
    where
        F: PoolFunction<A, Output = Result<T, E>>,
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.one(Job::trying(function, args))
    }

    /// Like [`submit`](Self::submit), for a function of one argument that is known only when the
    /// program runs.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_fn<A, T>(&self, function: fn(A) -> T, arg: A) -> Result<Future<T>, RuntimeError>
    where
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        self.one(Job::each(function, &[arg]))
    }

    /// Like [`submit_fn`](Self::submit_fn), for a function that may fail, as in
    /// [`try_submit`](Self::try_submit).
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn try_submit_fn<A, T, E>(
        &self,
        function: fn(A) -> Result<T, E>,
        arg: A,
    ) -> Result<Future<T>, RuntimeError>
    where
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.one(Job::trying_each(function, &[arg]))
    }

    /// Takes no more calls and, if `wait` says so, blocks until those that were submitted are done
    /// and the processes have ended.
    ///
    /// May be called several times.
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
    pub fn shutdown_cancel_futures(&self, wait: bool) {
        self.close(wait, true);
    }

    /// Shuts the executor down and terminates its processes at once: SIGTERM.
    ///
    /// The calls that have not begun are cancelled; those that run fail with
    /// [`BrokenProcessPool`].
    pub fn terminate_workers(&self) {
        self.close(false, true);
        self.staff().dismiss(|process| drop(process.terminate()));
    }

    /// Like [`terminate_workers`](Self::terminate_workers), by SIGKILL.
    pub fn kill_workers(&self) {
        self.close(false, true);
        self.staff().dismiss(|process| drop(process.kill()));
    }

    /// Calls `f` with the executor and then [`shutdown(true)`](Self::shutdown), also if `f`
    /// panics: Python's `with` block.
    ///
    /// # Blocking
    /// As [`shutdown`](Self::shutdown).
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> R {
        finally(|| f(self), || self.shutdown(true))
    }

    /// How many processes there may be.
    pub fn max_workers(&self) -> usize {
        self.handle.pool.max_workers()
    }

    /// How processes are started.
    pub fn start_method(&self) -> StartMethod {
        self.staff().method()
    }

    /// The processes that run at the moment; Python's `_processes`.
    pub fn processes(&self) -> Vec<Process> {
        self.staff().processes()
    }

    fn staff(&self) -> &Staff {
        &self.handle.staff
    }

    fn close(&self, wait: bool, cancel: bool) {
        self.handle.pool.close(cancel);
        if wait {
            self.handle.pool.join();
            self.staff().dismiss_reserve();
        }
    }

    fn one<T>(
        &self,
        job: Result<Job<T>, hilos_multiprocessing::Error>,
    ) -> Result<Future<T>, RuntimeError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.send(job, |mut results| results.pop())
    }

    /// The future of a call whose arguments cannot be serialised.
    fn cannot_travel<T: Send + 'static>(
        &self,
        error: hilos_multiprocessing::Error,
    ) -> Result<Future<T>, RuntimeError> {
        self.handle.pool.check()?;
        let future = Future::new();
        future.set_running_or_notify_cancel()?;
        let _ = future.finish(Err(exception(error)));
        Ok(future)
    }

    fn send<R, T>(
        &self,
        job: Result<Job<R>, hilos_multiprocessing::Error>,
        take: fn(Vec<R>) -> Option<T>,
    ) -> Result<Future<T>, RuntimeError>
    where
        R: DeserializeOwned + Send + 'static,
        T: Send + 'static,
    {
        let job = match job {
            Ok(job) => job,
            Err(error) => return self.cannot_travel(error),
        };
        let future = Future::new();
        if self.staff().method() == StartMethod::Fork {
            let forked = self.staff().fork(self.max_workers());
            forked.map_err(|error| cannot_start(&error))?;
        }
        let call = RemoteCall {
            job,
            take,
            future: future.clone(),
        };
        self.handle.pool.submit(Box::new(call))?;
        Ok(future)
    }
}

fn cannot_start(error: &hilos_multiprocessing::Error) -> RuntimeError {
    let reason = Reason::CannotStart(error.to_string());
    RuntimeError::Broken(BrokenProcessPool(reason).into())
}

impl<F, A, T> Executor<(F, A)> for ProcessPoolExecutor
where
    F: PoolFunction<A, Output = T>,
    A: Serialize + DeserializeOwned + 'static,
    T: Serialize + DeserializeOwned + Send + 'static,
{
    type Output = T;

    fn submit(&self, (function, args): (F, A)) -> Result<Future<T>, RuntimeError> {
        self.submit(function, args)
    }

    fn shutdown(&self, wait: bool) {
        self.shutdown(wait);
    }

    fn shutdown_cancel_futures(&self, wait: bool) {
        self.shutdown_cancel_futures(wait);
    }
}

impl Default for ProcessPoolExecutor {
    /// Python's `ProcessPoolExecutor()`.
    fn default() -> Self {
        Self::new(None).expect("the default is not 0")
    }
}

impl fmt::Debug for ProcessPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pending, idle) = self.handle.pool.waiting();
        f.debug_struct("ProcessPoolExecutor")
            .field("max_workers", &self.max_workers())
            .field("processes", &self.processes().len())
            .field("idle", &idle)
            .field("pending", &pending)
            .finish()
    }
}
