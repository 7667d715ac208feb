//! `asyncio.wait_for`.

use hilos_core::time::Timeout;

use crate::awaitable::Awaitable;
use crate::create_task::create_task;
use crate::exception::Result;
use crate::exceptions::TimeoutError;
use crate::timeouts::timeout;
use crate::wait::cancel_and_wait;

/// Waits for `awaitable`, for at most `limit` seconds; then it is cancelled.
///
/// It waits until what it cancelled has ended. To spare it, wrap it in
/// [`shield`](crate::shield). With a limit of 0 or less, a coroutine is not even started.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     match asyncio::wait_for(asyncio::sleep(3600), 0.001).await {
///         Err(e) if e.is_timeout() => Ok(()),
///         other => other,
///     }
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// The awaitable's exception, [`TimeoutError`] if it was not done in time, the `CancelledError`
/// of a task that is cancelled meanwhile, as `awaitable` is then.
///
/// Mirrors [`asyncio.wait_for`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.wait_for).
pub async fn wait_for<A: Awaitable, D: Into<Timeout>>(awaitable: A, limit: D) -> Result<A::Value> {
    let limit = limit.into();
    if limit.seconds().is_some_and(|seconds| seconds <= 0.0) {
        return at_once(awaitable).await;
    }
    timeout(limit, async move |_limit| awaitable.await).await
}

async fn at_once<A: Awaitable>(awaitable: A) -> Result<A::Value> {
    let Some(future) = awaitable.existing().map(|existing| existing.0) else {
        // CPython makes a task of the coroutine and cancels it; this stands for that task.
        let task = create_task(async { Ok(()) });
        cancel_and_wait(&task.erased()).await?;
        return Err(TimeoutError::default().into());
    };
    if !future.head().done() {
        cancel_and_wait(&future).await?;
        if future.head().cancelled() {
            return Err(TimeoutError::default().into());
        }
    }
    awaitable.await
}
