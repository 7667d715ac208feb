//! A future, awaited.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::FutureError;
use crate::future::Future;

/// What awaiting a [`Future`] waits with.
///
/// Yields what [`Future::result`] returns. It needs no runtime of its own: whoever completes the
/// future wakes the task. Dropping it does not cancel the future.
///
/// ```
/// # use hilos_futures as futures;
/// use futures::{Future, FutureError};
///
/// async fn twice(future: Future<i32>) -> Result<i32, FutureError> {
///     Ok(future.await? * 2)
/// }
/// ```
#[must_use = "nothing waits unless it is awaited"]
pub struct Awaiting<T> {
    future: Future<T>,
    /// What the task's waker is kept under, once it is.
    key: Option<u64>,
}

impl<T> std::future::Future for Awaiting<T> {
    type Output = Result<T, FutureError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { future, key } = &mut *self;
        future.poll(key, context)
    }
}

impl<T> Drop for Awaiting<T> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.future.remove_waker(key);
        }
    }
}

impl<T> IntoFuture for Future<T> {
    type Output = Result<T, FutureError>;
    type IntoFuture = Awaiting<T>;

    fn into_future(self) -> Awaiting<T> {
        Awaiting {
            future: self,
            key: None,
        }
    }
}

impl<T> IntoFuture for &Future<T> {
    type Output = Result<T, FutureError>;
    type IntoFuture = Awaiting<T>;

    fn into_future(self) -> Awaiting<T> {
        self.clone().into_future()
    }
}

impl<T> fmt::Debug for Awaiting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Awaiting").field(&self.future).finish()
    }
}
