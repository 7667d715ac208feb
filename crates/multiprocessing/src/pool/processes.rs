//! `multiprocessing.Pool`.

use std::fmt;
use std::sync::Arc;

use hilos_core::time::Timeout;
use hilos_threading::Thread;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::builder::{PoolBuilder, Settings};
use super::error::JobError;
use super::function::{PoolFunction, descriptor, pointer_descriptor, with_pointer};
use super::imap::{IMapIterator, IMapUnorderedIterator, Source};
use super::job::{AsyncResult, MapResult, Parts, limit};
use super::supervisor::{Phase, Shared, Supervisor};
use super::task::Task;
use crate::error::Error;
use crate::reduction::dumps;

/// Processes that do jobs: functions with arguments, whose results come back.
///
/// A job's function is any `fn` or a closure that captures nothing; what it needs travels in its
/// arguments. A worker that dies or is killed costs the job that it was at, whose error says how
/// it died, and is replaced; no other job suffers and nobody waits for ever. Dropping the pool
/// terminates it, as Python's `with` does.
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
pub struct Pool {
    shared: Arc<Shared>,
    processes: usize,
    supervisor: Thread,
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
        let (shared, processes) = (Arc::new(Shared::new()?), settings.processes);
        let supervisor = Supervisor::new(shared.clone(), settings)?;
        let supervisor = Thread::new(move || supervisor.run());
        let supervisor = supervisor.with_name("hilos-pool").with_daemon(true);
        supervisor
            .start()
            .map_err(|error| Error::Runtime(error.to_string()))?;
        Ok(Self {
            shared,
            processes,
            supervisor,
        })
    }

    /// Has a worker call `function` with `args`, and waits for the result.
    ///
    /// # Errors
    /// [`JobError`] if the job fails.
    pub fn apply<F, A, R>(&self, function: F, args: A) -> Result<R, JobError>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
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
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.apply_async_timeout(function, args, None)
    }

    /// Like [`apply_async`](Self::apply_async); a worker that takes longer than `timeout` from when
    /// it begins is killed, and the job fails with [`JobError::TimedOut`].
    ///
    /// # Errors
    /// As `apply_async`.
    pub fn apply_async_timeout<F, A, R, T>(
        &self,
        function: F,
        args: A,
        timeout: T,
    ) -> Result<AsyncResult<R>, JobError>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        T: Into<Timeout>,
    {
        let _ = function;
        let parts = Parts::new(1);
        let task = Task {
            function: descriptor::<F, A>(),
            args: dumps(&[args][..])?,
            sink: parts.clone(),
            part: 0,
            limit: limit(timeout.into()),
        };
        self.shared.submit([task])?;
        Ok(AsyncResult::of_one(parts))
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
        let items: Vec<A> = items.into_iter().collect();
        let chunksize = items.len().div_ceil(self.processes * 4).max(1);
        self.map_chunks(function, items, chunksize)
    }

    /// Like [`map`](Self::map), handing out `chunksize` items at a time.
    ///
    /// Larger chunks cost less for each item, smaller ones share the work out more evenly. By
    /// default each worker gets four chunks.
    ///
    /// # Errors
    /// As `map`; a chunk's first error stands for the chunk, whose later items are not run.
    pub fn map_chunked<A, R, I>(
        &self,
        function: fn(A) -> R,
        items: I,
        chunksize: usize,
    ) -> Result<Vec<R>, JobError>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        let items: Vec<A> = items.into_iter().collect();
        self.map_chunks(function, items, chunksize.max(1))?
            .get(None)
    }

    /// Has the workers call `function` with each item, and gives the results in the items' order,
    /// each as soon as it and those before it are there.
    ///
    /// Items are taken from the iterator as results are: a few ahead for each worker.
    ///
    /// # Errors
    /// The iterator yields a [`JobError`] for each item that failed, and goes on.
    pub fn imap<A, R, I>(&self, function: fn(A) -> R, items: I) -> IMapIterator<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        IMapIterator::new(self.source(function, items, 1))
    }

    /// Like [`imap`](Self::imap), but gives the results in the order in which they come.
    pub fn imap_unordered<A, R, I>(
        &self,
        function: fn(A) -> R,
        items: I,
    ) -> IMapUnorderedIterator<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        IMapUnorderedIterator::new(self.source(function, items, 1))
    }

    /// Takes no more jobs, and lets the workers go when those there are are done.
    pub fn close(&self) {
        self.shared.enter(Phase::Closed);
    }

    /// Kills the workers; jobs that are not done fail with [`JobError::Terminated`].
    pub fn terminate(&self) {
        self.shared.enter(Phase::Terminated);
    }

    /// Waits until the workers of a pool that is closed or terminated are gone.
    ///
    /// # Errors
    /// [`Error::Value`] if the pool is still running, and [`Error::Timeout`] when `timeout` has
    /// passed before.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> Result<(), Error> {
        if self.shared.phase() == Phase::Running {
            return Err(Error::Value("Pool is still running".into()));
        }
        let joined = self.supervisor.join(timeout);
        joined.map_err(|error| Error::Runtime(error.to_string()))?;
        if self.supervisor.is_alive() {
            Err(Error::Timeout)
        } else {
            Ok(())
        }
    }

    fn map_chunks<A, R>(
        &self,
        function: fn(A) -> R,
        items: Vec<A>,
        chunksize: usize,
    ) -> Result<MapResult<R>, JobError>
    where
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        let chunks = items.chunks(chunksize);
        let parts = Parts::new(chunks.len());
        let task = |(part, chunk)| {
            let args = with_pointer(function, chunk)?;
            let sink = parts.clone();
            Ok(Task {
                function: pointer_descriptor::<A, R>(),
                args,
                sink,
                part,
                limit: None,
            })
        };
        let tasks = chunks
            .enumerate()
            .map(task)
            .collect::<Result<Vec<_>, JobError>>()?;
        self.shared.submit(tasks)?;
        Ok(MapResult::of_all(parts))
    }

    fn source<A, R, I>(
        &self,
        function: fn(A) -> R,
        items: I,
        chunksize: usize,
    ) -> Source<I::IntoIter>
    where
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        Source {
            shared: self.shared.clone(),
            function: pointer_descriptor::<A, R>(),
            encode: Box::new(move |chunk| with_pointer(function, chunk)),
            items: items.into_iter().fuse(),
            chunksize,
            ahead: self.processes * AHEAD,
        }
    }
}

/// How many chunks of an `imap` are under way or waiting to be taken, for each worker.
const AHEAD: usize = 8;

impl Drop for Pool {
    fn drop(&mut self) {
        self.terminate();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (phase, size) = (self.shared.phase(), self.processes);
        write!(
            f,
            "<multiprocessing.pool.Pool state={phase:?} pool_size={size}>"
        )
    }
}
