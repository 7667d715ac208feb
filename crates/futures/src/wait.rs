//! `concurrent.futures.wait`.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::sync::Arc;

use hilos_core::time::Timeout;

use crate::future::Future;
use crate::waiter::Waiter;

/// When [`wait`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// When any future is done.
    FirstCompleted,
    /// When any future has failed, or all are done. A cancelled one has not failed.
    FirstException,
    /// When all futures are done.
    AllCompleted,
}

/// [`wait`] returns when any future is done.
pub const FIRST_COMPLETED: ReturnWhen = ReturnWhen::FirstCompleted;

/// [`wait`] returns when any future has failed, or all are done.
pub const FIRST_EXCEPTION: ReturnWhen = ReturnWhen::FirstException;

/// [`wait`] returns when all futures are done; Python's default.
pub const ALL_COMPLETED: ReturnWhen = ReturnWhen::AllCompleted;

/// What [`wait`] found, in the order in which the futures were given.
#[derive(Clone, Debug)]
pub struct DoneAndNotDoneFutures<T> {
    /// Futures that are finished, or cancelled and noticed by their executor.
    pub done: Vec<Future<T>>,
    /// All the others.
    pub not_done: Vec<Future<T>>,
}

/// Blocks until as many futures are done as `return_when` says, or until `timeout` has passed.
///
/// The futures may come from several executors, and be given by reference or by value. One that is
/// given twice counts once.
///
/// ```
/// # use hilos_futures as futures;
/// use futures::{ALL_COMPLETED, ThreadPoolExecutor, wait};
///
/// let executor = ThreadPoolExecutor::new(2)?;
/// let fs = [executor.submit(|| 1)?, executor.submit(|| 2)?];
/// let finished = wait(&fs, None, ALL_COMPLETED);
/// assert_eq!(finished.done, fs);
/// assert!(finished.not_done.is_empty());
/// # Ok::<(), futures::FutureError>(())
/// ```
///
/// # Blocking
/// Up to `timeout`; a negative one does not block.
///
/// # Differences from Python
/// - The results are lists in the order of `fs` in place of sets.
/// - All futures have results of one type.
///
/// Mirrors [`concurrent.futures.wait`](https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.wait).
pub fn wait<T, I, D>(fs: I, timeout: D, return_when: ReturnWhen) -> DoneAndNotDoneFutures<T>
where
    I: IntoIterator<Item: Borrow<Future<T>>>,
    D: Into<Timeout>,
{
    let deadline = timeout.into().deadline();
    let fs = unique(fs);
    let wanted = match return_when {
        ReturnWhen::FirstCompleted => fs.len().min(1),
        ReturnWhen::FirstException | ReturnWhen::AllCompleted => fs.len(),
    };
    let waiter = Arc::new(Waiter::new(wanted, return_when == FIRST_EXCEPTION));
    for (number, future) in fs.iter().enumerate() {
        future.add_waiter(&waiter, number);
    }
    let finished: HashSet<usize> = waiter.wait(deadline).done.iter().copied().collect();
    let (mut done, mut not_done) = (Vec::new(), Vec::new());
    for (number, future) in fs.into_iter().enumerate() {
        if finished.contains(&number) {
            done.push(future);
        } else {
            future.remove_waiter(&waiter);
            not_done.push(future);
        }
    }
    DoneAndNotDoneFutures { done, not_done }
}

/// Every future once, where it came first.
pub(crate) fn unique<T, I>(fs: I) -> Vec<Future<T>>
where
    I: IntoIterator<Item: Borrow<Future<T>>>,
{
    let mut seen = HashSet::new();
    fs.into_iter()
        .map(|future| future.borrow().clone())
        .filter(|future| seen.insert(future.id()))
        .collect()
}
