//! `multiprocessing.Pool`, on many machines.

mod builder;

use std::fmt;
use std::sync::Arc;

use hilos_core::panic::finally;
use hilos_core::time::Timeout;
use hilos_multiprocessing::pool::elsewhere::{FarCall, Settings, call_of, encode};
use hilos_multiprocessing::pool::{
    AsyncResult, IMapIterator, IMapUnorderedIterator, JobError, MapResult, Pool, PoolFunction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::message::Order;
use crate::registry::name_of;
pub use builder::ClusterPoolBuilder;

/// A pool whose workers are on other machines.
///
/// Its methods are those of [`Pool`] and mean the same, so that a program changes one line to go
/// from one machine to many: the pool's constructor. Its functions must be named by
/// [`register!`](crate::register!).
///
/// A handle: clones are the same pool. When the last handle is dropped and no imap is under way,
/// the pool is terminated. Workers come and go at any time; jobs wait until there are some.
///
/// ```no_run
/// # use hilos_cluster as cluster;
/// use cluster::ClusterPool;
///
/// fn square(x: i64) -> i64 { x * x }
///
/// cluster::register!(square);
/// cluster::worker_main();
/// let pool = ClusterPool::new("redis://host/0", "squares")?;
/// let squares = pool.map(square, 0..10)?;
/// assert_eq!(squares[9], 81);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Guarantees
/// - **Execution is at least once.** A task may run twice or more: when a worker dies, pauses for
///   longer than its lease, or the server restarts. Functions must bear that.
/// - A caller that lives gets **one result for each task**. If the client dies, its results are
///   lost, and its tasks are dropped after [`with_expiry`](ClusterPoolBuilder::with_expiry).
/// - A task whose workers die again and again ends with [`JobError::WorkerLost`].
/// - A death is noticed after a lease and the time between two scans, half a lease, at the latest,
///   by the first worker with a free slot, which takes those tasks before others.
/// - A worker that was paused and has lost its lease runs its task until it is told, once it goes
///   on; of two results the first counts.
/// - Tasks have no order among each other; `map` and `imap` restore that of their results.
/// - What the server has lost is sent again, as long as the client lives.
///
/// # Differences from Python
/// Python has no such pool. Beside what [`Pool`] differs in:
/// - Closures and functions must be registered, and there is no `map_with`.
/// - A job or a result has at most 64 MiB.
///
/// Mirrors [`multiprocessing.pool.Pool`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.pool.Pool).
#[derive(Clone)]
pub struct ClusterPool {
    client: Arc<Client>,
    settings: Settings,
}

/// Gives [`Pool`] a constructor for pools on other machines.
///
/// ```no_run
/// # use hilos_cluster as cluster;
/// # use hilos_multiprocessing::Pool;
/// use cluster::Cluster as _;
///
/// let pool = Pool::cluster("redis://host/0", "queue")?;
/// # Ok::<(), cluster::Error>(())
/// ```
pub trait Cluster {
    /// A pool whose workers are those of a queue.
    ///
    /// # Errors
    /// As [`ClusterPoolBuilder::build`].
    fn cluster(url: &str, queue: &str) -> Result<ClusterPool, Error> {
        ClusterPool::new(url, queue)
    }
}

impl Cluster for Pool {}

impl ClusterPool {
    /// A pool whose workers are those of a queue.
    ///
    /// The URL is `redis://user:password@host:port/database`, or `rediss:` for an encrypted
    /// connection, with the feature `tls`.
    ///
    /// # Errors
    /// As [`ClusterPoolBuilder::build`].
    pub fn new(url: &str, queue: &str) -> Result<Self, Error> {
        Self::builder(url, queue).build()
    }

    /// Sets up a pool with other limits.
    pub fn builder(url: &str, queue: &str) -> ClusterPoolBuilder {
        ClusterPoolBuilder::new(url, queue)
    }

    fn of(client: Client) -> Self {
        Self {
            client: Arc::new(client),
            settings: Settings::default(),
        }
    }

    /// A handle of the same pool that hands out `chunksize` items at a time, as
    /// [`Pool::with_chunksize`].
    #[must_use = "it is a handle; the pool's others stay as they are"]
    pub fn with_chunksize(&self, chunksize: usize) -> Self {
        self.with_settings(|settings| settings.set_chunksize(chunksize))
    }

    /// A handle of the same pool whose imaps have at most `buffersize` items under way or waiting
    /// to be taken, as [`Pool::with_buffersize`].
    #[must_use = "it is a handle; the pool's others stay as they are"]
    pub fn with_buffersize(&self, buffersize: usize) -> Self {
        self.with_settings(|settings| settings.set_buffersize(buffersize))
    }

    /// A handle of the same pool whose jobs, or each chunk of them, may take a worker so long from
    /// when it begins, as [`Pool::with_timeout`].
    #[must_use = "it is a handle; the pool's others stay as they are"]
    pub fn with_timeout<T: Into<Timeout>>(&self, timeout: T) -> Self {
        self.with_settings(|settings| settings.set_timeout(timeout.into()))
    }

    /// A handle of the same pool that says how far each of its calls has got, as
    /// [`Pool::with_progress`].
    #[must_use = "it is a handle; the pool's others stay as they are"]
    pub fn with_progress<F>(&self, progress: F) -> Self
    where
        F: Fn(usize, usize) + Send + Sync + 'static,
    {
        self.with_settings(|settings| settings.set_progress(progress))
    }

    fn with_settings(&self, set: impl FnOnce(&mut Settings)) -> Self {
        let mut handle = self.clone();
        set(&mut handle.settings);
        handle
    }

    /// Has a worker call `function` with `args`, and waits for the result.
    ///
    /// # Errors
    /// [`JobError`] if the job fails.
    ///
    /// # Blocking
    /// Until the job is done, for which there must be a worker.
    pub fn apply<F, A, R>(&self, function: F, args: A) -> Result<R, JobError>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        self.apply_async(function, args)?.get(None)
    }

    /// Has a worker call `function` with `args`.
    ///
    /// # Errors
    /// [`JobError::NotRunning`] if the pool is closed, [`JobError::Encoding`] if the arguments
    /// cannot travel or the function is not registered.
    pub fn apply_async<F, A, R>(&self, function: F, args: A) -> Result<AsyncResult<R>, JobError>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        self.call(function)?.apply(args)
    }

    /// Has the workers call `function` with each item, and waits for all the results, which keep
    /// the order of the items.
    ///
    /// # Errors
    /// [`JobError`] of the first item that failed; all the others are run nevertheless.
    ///
    /// # Blocking
    /// Until the jobs are done, for which there must be a worker.
    pub fn map<F, A, R, I>(&self, function: F, items: I) -> Result<Vec<R>, JobError>
    where
        F: PoolFunction<(A,), Output = R>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        self.map_async(function, items)?.get(None)
    }

    /// Has the workers call `function` with each item.
    ///
    /// # Errors
    /// As [`apply_async`](Self::apply_async).
    pub fn map_async<F, A, R, I>(&self, function: F, items: I) -> Result<MapResult<R>, JobError>
    where
        F: PoolFunction<(A,), Output = R>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        self.call(function)?
            .map(items.into_iter().map(|item| (item,)))
    }

    /// Like [`map`](Self::map), but each item is a tuple of the function's arguments.
    ///
    /// # Errors
    /// As `map`.
    ///
    /// # Blocking
    /// Until the jobs are done, for which there must be a worker.
    pub fn starmap<F, A, R, I>(&self, function: F, items: I) -> Result<Vec<R>, JobError>
    where
        F: PoolFunction<A, Output = R>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
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
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        self.call(function)?.map(items)
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
    pub fn imap<F, A, R, I>(&self, function: F, items: I) -> IMapIterator<Tuples<I::IntoIter>, R>
    where
        F: PoolFunction<(A,), Output = R>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        FarCall::imap(self.call(function), Tuples(items.into_iter()))
    }

    /// Like [`imap`](Self::imap), but gives the results in the order in which they come.
    pub fn imap_unordered<F, A, R, I>(
        &self,
        function: F,
        items: I,
    ) -> IMapUnorderedIterator<Tuples<I::IntoIter>, R>
    where
        F: PoolFunction<(A,), Output = R>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        FarCall::imap_unordered(self.call(function), Tuples(items.into_iter()))
    }

    /// Takes a job back; says whether there was something to take back.
    ///
    /// What no worker has begun is never run, and the process that runs it is killed, when its
    /// worker renews its leases next. The job fails with [`JobError::Cancelled`].
    pub fn cancel<R>(&self, job: &AsyncResult<R>) -> bool {
        self.client.shared.cancel(call_of(job))
    }

    /// Takes no more calls, and ends when those there are are done.
    pub fn close(&self) {
        self.client.shared.counter.close();
    }

    /// Takes all jobs back; those that are not done fail with [`JobError::Terminated`].
    ///
    /// The workers are not this pool's, and stay.
    pub fn terminate(&self) {
        self.client.shared.counter.terminate();
    }

    /// Waits until a pool that is closed or terminated has nothing to do any more.
    ///
    /// # Errors
    /// [`Error::Value`](hilos_multiprocessing::Error::Value) if the pool is still running, and
    /// [`Error::Timeout`](hilos_multiprocessing::Error::Timeout) when `timeout` has passed before.
    ///
    /// # Blocking
    /// Until all calls are done, of which an imap is none before its iterator is exhausted.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> Result<(), hilos_multiprocessing::Error> {
        if self.client.shared.counter.is_running() {
            let running = String::from("Pool is still running");
            return Err(hilos_multiprocessing::Error::Value(running));
        }
        match self.client.join(timeout.into()) {
            true => Ok(()),
            false => Err(hilos_multiprocessing::Error::Timeout),
        }
    }

    /// Calls `f` with the pool and terminates it, however `f` ends; Python's `with` block.
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> R {
        finally(|| f(self), || self.terminate())
    }

    pub(crate) fn call<F, A, R>(&self, function: F) -> Result<FarCall<A, R>, JobError>
    where
        F: PoolFunction<A, Output = R>,
        A: Serialize + DeserializeOwned + 'static,
        R: DeserializeOwned,
    {
        let _ = function;
        let name = name_of::<F>()?;
        let make = move |list: Vec<A>| Order::new(name, encode(&list)?);
        let crew = self.client.clone();
        self.client.shared.counter.call(make, crew, &self.settings)
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

impl fmt::Display for ClusterPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = &self.client.shared;
        let (state, setup) = (shared.counter.state(), &shared.setup);
        let (queue, server) = (&setup.queue, &setup.server);
        write!(
            f,
            "<cluster.ClusterPool state={state} queue={queue} server={server}>"
        )
    }
}

impl fmt::Debug for ClusterPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An iterator's items, each as the only argument.
#[derive(Clone, Debug)]
pub struct Tuples<I>(I);

impl<I: Iterator> Iterator for Tuples<I> {
    type Item = (I::Item,);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|item| (item,))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
