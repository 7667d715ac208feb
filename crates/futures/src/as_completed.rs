//! `concurrent.futures.as_completed`.

use std::borrow::Borrow;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

use hilos_core::time::{Deadline, Timeout};

use crate::error::TimeoutError;
use crate::future::Future;
use crate::wait::unique;
use crate::waiter::Waiter;

/// Yields futures as they are done, those first that are already.
///
/// The futures may come from several executors, and be given by reference or by value. One that is
/// given twice is yielded once. The iterator keeps none that it has yielded.
///
/// ```
/// # use hilos_futures as futures;
/// use futures::{Future, as_completed};
///
/// let (slow, quick) = (Future::new(), Future::new());
/// quick.set_result("quick")?;
/// let mut completed = as_completed([&slow, &quick], 0);
/// assert_eq!(completed.next().unwrap()?, quick);
///
/// let error = completed.next().unwrap().unwrap_err();
/// assert_eq!(error.to_string(), "1 (of 2) futures unfinished");
/// assert!(completed.next().is_none());
/// # Ok::<(), futures::FutureError>(())
/// ```
///
/// # Blocking
/// `next` blocks until a future is done, or until `timeout` has passed since this call; it then
/// yields a [`TimeoutError`] and ends. A negative timeout does not block.
///
/// # Differences from Python
/// - All futures have results of one type.
/// - A future that is done is yielded even after the timeout.
///
/// Mirrors [`concurrent.futures.as_completed`](https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.as_completed).
pub fn as_completed<T, I, D>(fs: I, timeout: D) -> AsCompleted<T>
where
    I: IntoIterator<Item: Borrow<Future<T>>>,
    D: Into<Timeout>,
{
    let deadline = timeout.into().deadline();
    let fs = unique(fs);
    let waiter = Arc::new(Waiter::new(1, false));
    for (number, future) in fs.iter().enumerate() {
        future.add_waiter(&waiter, number);
    }
    AsCompleted {
        left: fs.len(),
        fs: fs.into_iter().map(Some).collect(),
        waiter,
        deadline,
    }
}

/// Futures as they are done; made by [`as_completed`].
#[must_use = "an iterator does nothing unless it is used"]
pub struct AsCompleted<T> {
    /// The futures, each until it is yielded.
    fs: Vec<Option<Future<T>>>,
    /// How many are left, 0 after the timeout.
    left: usize,
    waiter: Arc<Waiter>,
    deadline: Deadline,
}

impl<T> AsCompleted<T> {
    /// Forgets the futures that are left.
    fn close(&mut self) {
        self.left = 0;
        for future in self.fs.drain(..).flatten() {
            future.remove_waiter(&self.waiter);
        }
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Result<Future<T>, TimeoutError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let number = self.waiter.wait(self.deadline).done.pop_front();
        let future = number.and_then(|number| self.fs[number].take());
        let Some(future) = future else {
            let error = TimeoutError::several(self.left, self.fs.len());
            self.close();
            return Some(Err(error));
        };
        self.left -= 1;
        Some(Ok(future))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.min(1), Some(self.left))
    }
}

impl<T> FusedIterator for AsCompleted<T> {}

impl<T> Drop for AsCompleted<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("left", &self.left)
            .finish()
    }
}
