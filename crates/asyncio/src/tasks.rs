//! `asyncio.Task`: a coroutine that the loop runs.

use std::fmt;
use std::ops::Deref;

use hilos_core::contextvars::Context;

use crate::any_task::AnyTask;
use crate::exception::Result;
use crate::futures::Future;
use crate::repr::debug_like_display;
use crate::task_head::TaskHead;

/// A coroutine that the loop runs, side by side with others.
///
/// [`create_task`](crate::create_task) makes one. A task is a [`Future`], whose result is that of
/// the coroutine, and has all its methods. Dropping the handles does not end the task.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// async fn double(n: i32) -> asyncio::Result<i32> {
///     asyncio::sleep(0.001).await?;
///     Ok(2 * n)
/// }
///
/// asyncio::run(async {
///     let task = asyncio::create_task(double(21)).with_name("doubling");
///     assert_eq!(task.get_name(), "doubling");
///     assert_eq!(task.await?, 42);
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - The loop keeps its tasks alive: none vanishes because nobody refers to it.
/// - Of the coroutine there is only its [name](Self::coro_name), and [`get_stack`](Self::get_stack) knows little: a running Rust program
///   has no frames to show.
///
/// Mirrors [`asyncio.Task`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.Task).
pub struct Task<T>(pub(crate) Future<T>);

impl<T: 'static> Task<T> {
    fn task(&self) -> &TaskHead {
        self.0.0.task().expect("a task is made of a task")
    }

    /// The same task, for whoever does not care what it returns.
    pub fn any(&self) -> AnyTask {
        AnyTask(self.0.erased())
    }

    /// The task's name: `Task-1` and so on, unless it was given one.
    pub fn get_name(&self) -> String {
        self.task().name()
    }

    /// Names the task.
    pub fn set_name<N: Into<String>>(&self, name: N) {
        self.task().set_name(name.into());
    }

    /// Names the task, where it is created.
    pub fn with_name<N: Into<String>>(self, name: N) -> Self {
        self.task().name_at_first(name.into());
        self
    }

    /// What the coroutine is called: an `async fn` by its name, a block by its function's. The part of
    /// Python's `get_coro` that a running Rust program can tell.
    pub fn coro_name(&self) -> String {
        self.any().coro_name()
    }

    /// The context in which the coroutine runs.
    pub fn get_context(&self) -> Context {
        self.task().context.context().clone()
    }

    /// How many cancellations were asked for and not taken back by [`uncancel`](Self::uncancel).
    pub fn cancelling(&self) -> u32 {
        self.task().cancels.get()
    }

    /// Takes one request to cancel back, and returns how many are left.
    ///
    /// For whoever cancelled the task and has handled the `CancelledError`. With the last one, a
    /// cancellation that was not delivered yet is off.
    pub fn uncancel(&self) -> u32 {
        self.task().uncancel()
    }
}

impl<T> Deref for Task<T> {
    type Target = Future<T>;

    fn deref(&self) -> &Future<T> {
        &self.0
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: 'static> PartialEq for Task<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: 'static> Eq for Task<T> {}

impl<T: 'static> std::hash::Hash for Task<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T: 'static> From<Task<T>> for Future<T> {
    fn from(task: Task<T>) -> Self {
        task.0
    }
}

impl<T: 'static> IntoFuture for Task<T> {
    type Output = Result<T>;
    type IntoFuture = crate::awaiting::Await<T>;

    /// Waits for the result and takes it.
    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future()
    }
}

impl<T: Clone + 'static> IntoFuture for &Task<T> {
    type Output = Result<T>;
    type IntoFuture = crate::awaiting::Await<T>;

    /// Waits for the result and clones it.
    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        (&self.0).into_future()
    }
}

impl<T: 'static> fmt::Display for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

debug_like_display!(Task<T>);
