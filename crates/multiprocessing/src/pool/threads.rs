//! `multiprocessing.pool.ThreadPool`.

use std::fmt;
use std::sync::Arc;

use hilos_core::panic::finally;
use hilos_core::time::Timeout;
use hilos_threading as threading;
use hilos_threading::{Outcome, Thread};

use super::call::{self, Call};
use super::desk::{Desk, Phase};
use super::error::JobError;
use super::function::run;
use super::imap::{IMapIterator, IMapUnorderedIterator};
use super::job::{AsyncResult, MapResult};
use super::options::{Options, option_methods};
use super::results::{Results, downcast};
use super::thread_worker::{Initializer, Job, ThreadDesk, Turnstile, work};
use crate::cpu_count;
use crate::error::Error;

/// Threads that do jobs: a [`Pool`](super::Pool) without processes.
///
/// Use it for work that waits, such as downloads, and for processor work that shares memory. Its
/// calls are those of `Pool`, but a function may be any closure, and nothing is encoded: values
/// move. A panic fails its job alone. A thread cannot be killed, so that no job has a timeout.
///
/// A handle, like `Pool`: when the last one is dropped and no imap is under way, the pool is
/// terminated.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::pool::ThreadPool;
///
/// let pool = ThreadPool::new(2)?;
/// let factor = 3;
/// assert_eq!(pool.map(move |x: i64| x * factor, 0..4).unwrap(), [0, 3, 6, 9]);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `terminate` fails the jobs that nobody has begun, where Python leaves them pending for ever.
///
/// Mirrors [`multiprocessing.pool.ThreadPool`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.ThreadPool).
#[derive(Clone)]
pub struct ThreadPool {
    crew: Arc<Crew>,
    options: Options,
}

/// What the handles of a pool share, but its threads do not: terminates the pool when it is
/// dropped.
struct Crew {
    desk: Arc<ThreadDesk>,
    threads: Vec<Thread>,
}

impl call::Crew for Crew {
    fn size(&self) -> usize {
        self.threads.len()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.desk.enter(Phase::Terminated);
    }
}

/// Sets up a [`ThreadPool`]; made by [`ThreadPool::builder`].
#[must_use = "a pool is made by `build`"]
pub struct ThreadPoolBuilder {
    processes: usize,
    initializer: Option<Initializer>,
}

impl ThreadPoolBuilder {
    /// How many threads there are, by Python's name; by default as many as processors.
    pub fn processes(self, processes: usize) -> Self {
        Self { processes, ..self }
    }

    /// Has each thread call `initializer` before its first job.
    ///
    /// If it panics or returns an `Err`, the pool is broken: every job fails and says why.
    pub fn initializer<F, R>(self, initializer: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Outcome,
    {
        let initializer: Initializer = Arc::new(move || initializer().into_exception());
        Self {
            initializer: Some(initializer),
            ..self
        }
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::Value`] for no threads, [`Error::Runtime`] if the system refuses one.
    pub fn build(self) -> Result<ThreadPool, Error> {
        if self.processes == 0 {
            let text = "Number of processes must be at least 1";
            return Err(Error::Value(text.into()));
        }
        let mut crew = Crew {
            desk: Desk::new(Turnstile::default()),
            threads: Vec::new(),
        };
        for _ in 0..self.processes {
            let args = (crew.desk.clone(), self.initializer.clone());
            let thread = Thread::with_args(work, args).with_daemon(true);
            thread
                .start()
                .map_err(|error| Error::Runtime(error.to_string()))?;
            crew.threads.push(thread);
        }
        Ok(ThreadPool {
            crew: Arc::new(crew),
            options: Options::default(),
        })
    }
}

impl ThreadPool {
    /// Starts a pool of so many threads.
    ///
    /// # Errors
    /// As [`ThreadPoolBuilder::build`].
    pub fn new(processes: usize) -> Result<Self, Error> {
        Self::builder().processes(processes).build()
    }

    /// Sets up a pool with an initializer.
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder {
            processes: cpu_count(),
            initializer: None,
        }
    }

    option_methods!();

    /// Has a thread call `function` with `args`, and waits for the result.
    ///
    /// # Errors
    /// [`JobError`] if the job fails.
    pub fn apply<F, A, R>(&self, function: F, args: A) -> Result<R, JobError>
    where
        F: threading::Call<A, Output = R> + Send + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.apply_async(function, args)?.get(None)
    }

    /// Has a thread call `function` with `args`.
    ///
    /// # Errors
    /// [`JobError::NotRunning`] if the pool is closed.
    pub fn apply_async<F, A, R>(&self, function: F, args: A) -> Result<AsyncResult<R>, JobError>
    where
        F: threading::Call<A, Output = R> + Send + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        let call = |(function, args): (F, A)| function.call(args);
        self.call(call)?.apply((function, args))
    }

    /// Has the threads call `function` with each item, and waits for all the results, which keep
    /// the order of the items.
    ///
    /// # Errors
    /// [`JobError`] of the first item that failed; all the others are run nevertheless.
    pub fn map<F, A, R, I>(&self, function: F, items: I) -> Result<Vec<R>, JobError>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.map_async(function, items)?.get(None)
    }

    /// Has the threads call `function` with each item.
    ///
    /// # Errors
    /// As [`apply_async`](Self::apply_async).
    pub fn map_async<F, A, R, I>(&self, function: F, items: I) -> Result<MapResult<R>, JobError>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.call(function)?.map(items)
    }

    /// Like [`map`](Self::map), but each item is a tuple of the function's arguments.
    ///
    /// # Errors
    /// As `map`.
    pub fn starmap<F, A, R, I>(&self, function: F, items: I) -> Result<Vec<R>, JobError>
    where
        F: Send + Sync + 'static,
        for<'a> &'a F: threading::Call<A, Output = R>,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.starmap_async(function, items)?.get(None)
    }

    /// Like [`map_async`](Self::map_async), but each item is a tuple of the function's arguments.
    ///
    /// # Errors
    /// As `map_async`.
    pub fn starmap_async<F, A, R, I>(&self, function: F, items: I) -> Result<MapResult<R>, JobError>
    where
        F: Send + Sync + 'static,
        for<'a> &'a F: threading::Call<A, Output = R>,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        use threading::Call as _;
        self.call(move |args| (&function).call(args))?.map(items)
    }

    /// Has the threads call `function` with each item, and gives the results in the items' order,
    /// each as soon as it and those before it are there.
    ///
    /// Items are taken from the iterator as results are, a few ahead for each thread;
    /// [`with_buffersize`](Self::with_buffersize) says how many.
    ///
    /// # Errors
    /// The iterator yields a [`JobError`] for each chunk that failed, by default of one item, and
    /// goes on. If the pool is closed, that is all that it yields.
    pub fn imap<F, A, R, I>(&self, function: F, items: I) -> IMapIterator<I::IntoIter, R>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        IMapIterator::new(self.call(function), items)
    }

    /// Like [`imap`](Self::imap), but gives the results in the order in which they come.
    pub fn imap_unordered<F, A, R, I>(
        &self,
        function: F,
        items: I,
    ) -> IMapUnorderedIterator<I::IntoIter, R>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        I: IntoIterator<Item = A>,
        A: Send + 'static,
        R: Send + 'static,
    {
        IMapUnorderedIterator::new(self.call(function), items)
    }

    /// Takes no more calls, and lets the threads go when those there are are done: an imap's too,
    /// when its iterator is exhausted or dropped.
    pub fn close(&self) {
        self.crew.desk.enter(Phase::Closed);
    }

    /// Lets the threads go as soon as they have done what they are at; jobs that nobody has begun
    /// fail with [`JobError::Terminated`].
    pub fn terminate(&self) {
        self.crew.desk.enter(Phase::Terminated);
    }

    /// Waits until the threads of a pool that is closed or terminated have ended.
    ///
    /// # Errors
    /// [`Error::Value`] if the pool is still running, [`Error::Timeout`] when `timeout` has passed
    /// before, [`Error::Runtime`] in a thread of the pool.
    ///
    /// # Blocking
    /// Until all calls are done, of which an imap is none before its iterator is exhausted.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> Result<(), Error> {
        if self.crew.desk.phase() == Phase::Running {
            return Err(Error::Value("Pool is still running".into()));
        }
        let deadline = timeout.into().deadline();
        for thread in &self.crew.threads {
            let joined = thread.join(deadline.remaining());
            joined.map_err(|error| Error::Runtime(error.to_string()))?;
            if thread.is_alive() {
                return Err(Error::Timeout);
            }
        }
        Ok(())
    }

    /// Calls `f` with the pool and terminates it, however `f` ends; Python's `with` block.
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> R {
        finally(|| f(self), || self.terminate())
    }

    /// Whether it takes calls.
    #[cfg(feature = "pickle")]
    pub(crate) fn is_running(&self) -> bool {
        self.crew.desk.phase() == Phase::Running
    }

    fn call<F, A, R>(&self, function: F) -> Result<Call<A, R>, JobError>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        let (admission, function) = (self.crew.desk.admit()?, Arc::new(function));
        let make = move |list: Vec<A>| {
            let function = function.clone();
            let job = move || match run(&*function, list) {
                Ok(results) => Ok(Results::Values(Box::new(results))),
                Err(failure) => Err(JobError::Failed(failure)),
            };
            Ok(Box::new(job) as Job)
        };
        let options = self.options.clone();
        Ok(Call::new(
            admission,
            make,
            downcast,
            self.crew.clone(),
            options,
        ))
    }
}

impl fmt::Display for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, size) = (self.crew.desk.phase().name(), self.crew.threads.len());
        write!(
            f,
            "<multiprocessing.pool.ThreadPool state={state} pool_size={size}>"
        )
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ThreadPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolBuilder")
            .field("processes", &self.processes)
            .finish_non_exhaustive()
    }
}
