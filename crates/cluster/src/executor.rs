//! `concurrent.futures.Executor`, on many machines.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use hilos_core::panic::finally;
use hilos_futures::{Exception, Executor, Future, Map, RuntimeError};
use hilos_multiprocessing::pool::{JobError, PoolFunction};
use parking_lot::{Condvar, Mutex};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::pool::ClusterPool;

/// An executor whose calls are done on other machines.
///
/// Use it where futures are wanted: they can be awaited in any async runtime, and cancelled. What a
/// [`ClusterPool`] guarantees holds here too.
///
/// A handle: clones are the same executor.
///
/// ```no_run
/// # use hilos_cluster as cluster;
/// use cluster::ClusterExecutor;
///
/// fn square(x: i64) -> i64 { x * x }
///
/// cluster::register!(square);
/// cluster::worker_main();
/// let executor = ClusterExecutor::new("redis://host/0", "squares")?;
/// assert_eq!(executor.submit(square, (9,))?.result(None)?, 81);
/// executor.shutdown(true);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Differences from Python
/// - A future stays pending until it is done: nobody tells the client that its call has begun. So
///   it can be cancelled all the time; the process that runs it is killed.
///
/// Mirrors [`concurrent.futures.Executor`](https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.Executor).
#[derive(Clone)]
pub struct ClusterExecutor {
    pool: ClusterPool,
    open: Arc<Open>,
}

/// The calls that are not done, with how to cancel them.
#[derive(Default)]
struct Open {
    calls: Mutex<Calls>,
    empty: Condvar,
}

#[derive(Default)]
struct Calls {
    cancels: std::collections::HashMap<u64, Box<dyn Fn() -> bool + Send>>,
    last: u64,
}

impl ClusterExecutor {
    /// An executor whose workers are those of a queue, as [`ClusterPool::new`] has them.
    ///
    /// # Errors
    /// As [`ClusterPoolBuilder::build`](crate::ClusterPoolBuilder::build).
    pub fn new(url: &str, queue: &str) -> Result<Self, Error> {
        ClusterPool::new(url, queue).map(Self::from)
    }

    /// Has a worker call `function` with `args`.
    ///
    /// # Errors
    /// [`RuntimeError`] if the executor is shut down. What fails otherwise, fails the future.
    pub fn submit<F, A, T>(&self, function: F, args: A) -> Result<Future<T>, RuntimeError>
    where
        F: PoolFunction<A, Output = T>,
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let future = Future::new();
        match self.send(function, args, &future) {
            Ok(call) => self.take_back_with(&future, call),
            Err(JobError::NotRunning | JobError::Terminated) => {
                return Err(RuntimeError::AfterShutdown);
            }
            Err(error) => complete(&future, Err(error)),
        }
        Ok(future)
    }

    /// Sends a call whose outcome a future will be told; which call it is.
    fn send<F, A, T>(&self, function: F, args: A, future: &Future<T>) -> Result<usize, JobError>
    where
        F: PoolFunction<A, Output = T>,
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let (number, open) = (self.open.begin(future), self.open.clone());
        let told = future.clone();
        let tell = move |results: Result<Vec<T>, JobError>| {
            open.end(number);
            complete(&told, results);
        };
        let call = self.pool.call(function);
        let sent = call.and_then(|call| call.tell(vec![args], tell));
        sent.map(|teller| teller.call())
            .inspect_err(|_| self.open.end(number))
    }

    /// Takes a call back when its future is cancelled.
    fn take_back_with<T: Send + 'static>(&self, future: &Future<T>, call: usize) {
        let client = Arc::downgrade(self.pool.client());
        future.add_done_callback(move |future| {
            if future.cancelled()
                && let Some(client) = client.upgrade()
            {
                client.shared.cancel(call);
            }
        });
    }

    /// Has the workers call `function` with each item, and gives the results in the items' order.
    ///
    /// # Errors
    /// [`RuntimeError`] if the executor is shut down.
    pub fn map<F, A, T, I>(&self, function: F, items: I) -> Result<Map<'static, T>, RuntimeError>
    where
        F: PoolFunction<(A,), Output = T>,
        I: IntoIterator<Item = A>,
        A: Serialize + DeserializeOwned + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let called = Instant::now();
        let futures = items.into_iter().map(|item| self.submit(function, (item,)));
        let futures = futures.collect::<Result<VecDeque<_>, _>>()?;
        Ok(Map::of_futures(futures, called))
    }

    /// Takes no more calls and, if `wait` says so, waits for those that were submitted.
    ///
    /// # Blocking
    /// Until they are done, if `wait` says so.
    pub fn shutdown(&self, wait: bool) {
        self.pool.close();
        if wait {
            self.open.wait();
            let _ = self.pool.join(None);
        }
    }

    /// Like [`shutdown`](Self::shutdown), and cancels the calls.
    ///
    /// # Blocking
    /// For a moment, if `wait` says so.
    pub fn shutdown_cancel_futures(&self, wait: bool) {
        self.pool.close();
        self.open.cancel_all();
        self.shutdown(wait);
    }

    /// Calls `f` with the executor and then [`shutdown(true)`](Self::shutdown), also if `f`
    /// panics: Python's `with` block.
    ///
    /// # Blocking
    /// As `f`, and then until all calls are done.
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> R {
        finally(|| f(self), || self.shutdown(true))
    }
}

impl Open {
    fn begin<T: Send + 'static>(&self, future: &Future<T>) -> u64 {
        let (mut calls, future) = (self.calls.lock(), future.clone());
        calls.last += 1;
        let number = calls.last;
        calls
            .cancels
            .insert(number, Box::new(move || future.cancel()));
        number
    }

    fn end(&self, number: u64) {
        let mut calls = self.calls.lock();
        let ended = calls.cancels.remove(&number);
        if calls.cancels.is_empty() {
            self.empty.notify_all();
        }
        drop(calls);
        drop(ended);
    }

    fn cancel_all(&self) {
        // A future that is cancelled ends its call, which takes the lock.
        let cancels: Vec<_> = {
            let mut calls = self.calls.lock();
            let numbers: Vec<u64> = calls.cancels.keys().copied().collect();
            numbers
                .iter()
                .filter_map(|number| calls.cancels.remove(number))
                .collect()
        };
        for cancel in cancels {
            cancel();
        }
        self.empty.notify_all();
    }

    fn wait(&self) {
        let mut calls = self.calls.lock();
        while !calls.cancels.is_empty() {
            self.empty.wait(&mut calls);
        }
    }
}

/// Tells a future how its call ended; one that was cancelled knows already.
fn complete<T: Send>(future: &Future<T>, results: Result<Vec<T>, JobError>) {
    if !future.set_running_or_notify_cancel().unwrap_or(false) {
        return;
    }
    let outcome = results.and_then(|mut results| {
        let nothing = || JobError::Encoding("the worker sent no result".into());
        results.pop().ok_or_else(nothing)
    });
    let _ = match outcome {
        Ok(result) => future.set_result(result),
        Err(error) => future.set_exception(Exception::new("JobError", error)),
    };
}

impl From<ClusterPool> for ClusterExecutor {
    /// An executor whose calls are those of a pool, with its settings.
    fn from(pool: ClusterPool) -> Self {
        let open = Arc::default();
        Self { pool, open }
    }
}

impl<F, A, T> Executor<(F, A)> for ClusterExecutor
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

impl fmt::Debug for ClusterExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.open.calls.lock().cancels.len();
        f.debug_struct("ClusterExecutor")
            .field("pool", &self.pool)
            .field("open", &open)
            .finish()
    }
}
