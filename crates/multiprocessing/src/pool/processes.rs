//! `multiprocessing.Pool`.

use std::fmt;
use std::sync::Arc;

use hilos_core::panic::finally;
use hilos_core::time::Timeout;
use hilos_threading::Thread;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::builder::{PoolBuilder, Settings};
use super::call::{self, Call};
use super::desk::{Desk, Phase};
use super::error::JobError;
use super::function::{Function, PoolFunction};
use super::imap::{IMapIterator, IMapUnorderedIterator};
use super::job::{AsyncResult, MapResult, limit};
use super::options::{Options, option_methods};
use super::results::decode;
use super::supervisor::{Alarm, ProcessDesk, Supervisor};
use crate::error::Error;

/// Processes that do jobs: functions with arguments, whose results come back.
///
/// A job's function is any `fn` or a closure that captures nothing; what it needs travels in its
/// arguments. A worker that dies or is killed costs the job that it was at, whose error says how
/// it died, and is replaced; no other job suffers and nobody waits for ever.
///
/// A handle: clones are the same pool, and what Python takes as optional arguments makes a handle
/// whose calls have them, such as `pool.with_chunksize(100).map(…)`. When the last handle is
/// dropped and no imap is under way, the pool is terminated, as Python's `with` does it.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::Pool;
///
/// let pool = Pool::new(2)?;
/// let squares: Vec<i64> = pool.map(|x: i64| x * x, 0..10).unwrap();
/// assert_eq!(squares[9], 81);
/// assert_eq!(pool.apply(i64::pow, (2, 10)).unwrap(), 1024);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - A worker's death does not hang the pool, nor does a result that cannot be decoded.
/// - `imap` takes arguments from the iterator only as results are taken.
/// - `terminate` fails the jobs that are not done, where Python leaves them pending for ever.
///
/// Mirrors [`multiprocessing.pool.Pool`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.Pool).
#[derive(Clone)]
pub struct Pool {
    crew: Arc<Crew>,
    options: Options,
}

/// What the handles of a pool share, but its supervisor does not: terminates the pool when it is
/// dropped.
struct Crew {
    desk: Arc<ProcessDesk>,
    processes: usize,
    supervisor: Thread,
}

impl call::Crew for Crew {
    fn size(&self) -> usize {
        self.processes
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.desk.enter(Phase::Terminated);
    }
}

impl Pool {
    /// Starts a pool of `processes` workers.
    ///
    /// # Errors
    /// As [`PoolBuilder::build`].
    pub fn new(processes: usize) -> Result<Self, Error> {
        Self::builder().processes(processes).build()
    }

    /// Sets up a pool with an initializer or limits.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    pub(super) fn start(settings: Settings) -> Result<Self, Error> {
        let (desk, processes) = (Desk::new(Alarm::new()?), settings.processes);
        let supervisor = Supervisor::new(desk.clone(), settings)?;
        let supervisor = Thread::new(move || supervisor.run());
        let supervisor = supervisor.with_name("hilos-pool").with_daemon(true);
        supervisor
            .start()
            .map_err(|error| Error::Runtime(error.to_string()))?;
        let crew = Crew {
            desk,
            processes,
            supervisor,
        };
        Ok(Self {
            crew: Arc::new(crew),
            options: Options::default(),
        })
    }

    option_methods!();

    /// A handle of the same pool whose jobs, or each chunk of them, may take a worker so long from
    /// when it begins.
    ///
    /// A worker that takes longer is killed and replaced, and the job fails with
    /// [`JobError::TimedOut`].
    #[must_use = "it is a handle; the pool's others stay as they are"]
    pub fn with_timeout<T: Into<Timeout>>(&self, timeout: T) -> Self {
        let limit = limit(timeout.into());
        self.with_options(|options| options.limit = limit)
    }

    /// Has a worker call `function` with `args`, and waits for the result.
    ///
    /// # Errors
    /// [`JobError`] if the job fails.
    pub fn apply<F, A, R>(&self, function: F, args: A) -> Result<R, JobError>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        self.apply_async(function, args)?.get(None)
    }

    /// Has a worker call `function` with `args`.
    ///
    /// # Errors
    /// [`JobError::NotRunning`] if the pool is closed, [`JobError::Encoding`] if the arguments
    /// cannot travel.
    pub fn apply_async<F, A, R>(&self, function: F, args: A) -> Result<AsyncResult<R>, JobError>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        let _ = function;
        self.call(Ok(Function::typed::<F>()))?.apply(args)
    }

    /// Has the workers call `function` with each item, and waits for all the results, which keep
    /// the order of the items.
    ///
    /// # Errors
    /// [`JobError`] of the first item that failed; all the others are run nevertheless.
    pub fn map<A, R, I>(&self, function: fn(A) -> R, items: I) -> Result<Vec<R>, JobError>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        self.map_async(function, items)?.get(None)
    }

    /// Has the workers call `function` with each item.
    ///
    /// # Errors
    /// As [`apply_async`](Self::apply_async).
    pub fn map_async<A, R, I>(
        &self,
        function: fn(A) -> R,
        items: I,
    ) -> Result<MapResult<R>, JobError>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        self.call(Ok(Function::pointer(function)))?.map(items)
    }

    /// Like [`map`](Self::map), but each item is a tuple of the function's arguments.
    ///
    /// ```
    /// # use hilos_multiprocessing as multiprocessing;
    /// # let pool = multiprocessing::Pool::new(2)?;
    /// assert_eq!(pool.starmap(i64::pow, [(2, 3), (10, 2)]).unwrap(), [8, 100]);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Errors
    /// As `map`.
    pub fn starmap<F, A, R, I>(&self, function: F, items: I) -> Result<Vec<R>, JobError>
    where
        F: PoolFunction<A, Output = R>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        self.starmap_async(function, items)?.get(None)
    }

    /// Like [`map_async`](Self::map_async), but each item is a tuple of the function's arguments.
    ///
    /// # Errors
    /// As `map_async`.
    pub fn starmap_async<F, A, R, I>(&self, function: F, items: I) -> Result<MapResult<R>, JobError>
    where
        F: PoolFunction<A, Output = R>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        let _ = function;
        self.call(Ok(Function::typed::<F>()))?.map(items)
    }

    /// Has the workers call `function` with the context and each item, and waits for all the
    /// results; for what a closure would capture.
    ///
    /// The context is encoded once and sent to each worker once, however many items there are; the
    /// workers drop it after the last.
    ///
    /// ```
    /// # use hilos_multiprocessing as multiprocessing;
    /// # let pool = multiprocessing::Pool::new(2)?;
    /// let table = vec![10, 20, 30];
    /// let looked_up = pool.map_with(table, |table, index: usize| table[index], [2, 0]).unwrap();
    /// assert_eq!(looked_up, [30, 10]);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`map`](Self::map).
    ///
    /// # Differences from Python
    /// Python has no such call; there an initializer sets global variables.
    pub fn map_with<C, A, R, I>(
        &self,
        context: C,
        function: fn(&C, A) -> R,
        items: I,
    ) -> Result<Vec<R>, JobError>
    where
        C: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        self.map_async_with(context, function, items)?.get(None)
    }

    /// Like [`map_with`](Self::map_with), without waiting.
    ///
    /// # Errors
    /// As [`map_async`](Self::map_async).
    pub fn map_async_with<C, A, R, I>(
        &self,
        context: C,
        function: fn(&C, A) -> R,
        items: I,
    ) -> Result<MapResult<R>, JobError>
    where
        C: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        self.call(Function::with_context(&context, function))?
            .map(items)
    }

    /// Has the workers call `function` with each item, and gives the results in the items' order,
    /// each as soon as it and those before it are there.
    ///
    /// Items are taken from the iterator as results are, a few ahead for each worker;
    /// [`with_buffersize`](Self::with_buffersize) says how many.
    ///
    /// # Errors
    /// The iterator yields a [`JobError`] for each chunk that failed, by default of one item, and
    /// goes on. If the pool is closed, that is all that it yields.
    pub fn imap<A, R, I>(&self, function: fn(A) -> R, items: I) -> IMapIterator<I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        IMapIterator::new(self.call(Ok(Function::pointer(function))), items)
    }

    /// Like [`imap`](Self::imap), but gives the results in the order in which they come.
    pub fn imap_unordered<A, R, I>(
        &self,
        function: fn(A) -> R,
        items: I,
    ) -> IMapUnorderedIterator<I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        IMapUnorderedIterator::new(self.call(Ok(Function::pointer(function))), items)
    }

    /// Like [`imap`](Self::imap), with a context as [`map_with`](Self::map_with) has it.
    pub fn imap_with<C, A, R, I>(
        &self,
        context: C,
        function: fn(&C, A) -> R,
        items: I,
    ) -> IMapIterator<I::IntoIter, R>
    where
        C: Serialize + DeserializeOwned + 'static,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        IMapIterator::new(self.call(Function::with_context(&context, function)), items)
    }

    /// Takes no more calls, and lets the workers go when those there are are done: an imap's too,
    /// when its iterator is exhausted or dropped.
    pub fn close(&self) {
        self.crew.desk.enter(Phase::Closed);
    }

    /// Kills the workers; jobs that are not done fail with [`JobError::Terminated`].
    pub fn terminate(&self) {
        self.crew.desk.enter(Phase::Terminated);
    }

    /// Waits until the workers of a pool that is closed or terminated are gone.
    ///
    /// # Errors
    /// [`Error::Value`] if the pool is still running, and [`Error::Timeout`] when `timeout` has
    /// passed before.
    ///
    /// # Blocking
    /// Until all calls are done, of which an imap is none before its iterator is exhausted.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> Result<(), Error> {
        if self.crew.desk.phase() == Phase::Running {
            return Err(Error::Value("Pool is still running".into()));
        }
        let supervisor = &self.crew.supervisor;
        let joined = supervisor.join(timeout);
        joined.map_err(|error| Error::Runtime(error.to_string()))?;
        if supervisor.is_alive() {
            Err(Error::Timeout)
        } else {
            Ok(())
        }
    }

    /// Calls `f` with the pool and terminates it, however `f` ends; Python's `with` block.
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> R {
        finally(|| f(self), || self.terminate())
    }

    fn call<A, R>(&self, function: Result<Function<A>, Error>) -> Result<Call<A, R>, JobError>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: DeserializeOwned,
    {
        let (admission, function) = (self.crew.desk.admit()?, function?);
        let make = move |list: Vec<A>| function.request(&list);
        let options = self.options.clone();
        Ok(Call::new(
            admission,
            make,
            decode,
            self.crew.clone(),
            options,
        ))
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, size) = (self.crew.desk.phase().name(), self.crew.processes);
        write!(
            f,
            "<multiprocessing.pool.Pool state={state} pool_size={size}>"
        )
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
