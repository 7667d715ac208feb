//! `asyncio.to_thread`.

use std::error::Error;

use hilos_core::contextvars::copy_context;

use crate::exception::Result;
use crate::running;

/// Runs a function that blocks in a thread of the loop's default executor.
///
/// It runs in a copy of the current context. If the waiting task is cancelled, the function runs
/// on. For a function that returns a `Result` there is [`try_to_thread`].
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let text = asyncio::to_thread(|| "read from a slow disk").await?;
///     assert_eq!(text, "read from a slow disk");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// A panic of the function; [`RuntimeError`](crate::RuntimeError) if the executor is shut down;
/// the `CancelledError` of a task that is cancelled meanwhile.
///
/// Mirrors [`asyncio.to_thread`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.to_thread).
pub async fn to_thread<F, T>(function: F) -> Result<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let event_loop = running::get_running_loop()?;
    let context = copy_context();
    // Nobody else has the copy.
    let call = move || context.run(function).map_err(crate::Exception::from);
    event_loop.try_run_in_executor(None, call)?.await
}

/// Like [`to_thread`], for a function that returns a `Result`, whose error is raised here.
///
/// # Errors
/// The function's, and those of [`to_thread`].
pub async fn try_to_thread<F, T, E>(function: F) -> Result<T>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
{
    let event_loop = running::get_running_loop()?;
    let context = copy_context();
    // Nobody else has the copy.
    let call = move || context.run(function).expect("a fresh context");
    event_loop.try_run_in_executor(None, call)?.await
}
