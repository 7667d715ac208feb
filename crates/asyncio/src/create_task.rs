//! `asyncio.create_task` and its keyword arguments.

use std::future::Future as StdFuture;
use std::panic::Location;

use hilos_core::contextvars::Context;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::running;
use crate::tasks::{Making, Task, spawn};

impl Making {
    pub(crate) fn plain(location: &'static Location<'static>) -> Self {
        Self {
            name: None,
            context: None,
            eager_start: false,
            location,
        }
    }
}

/// Has the running loop run `coroutine` as a task.
///
/// It begins when the code that called this next waits for something. To name the task, use
/// [`Task::with_name`]; for other options, [`TaskOptions`].
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let task = asyncio::create_task(async { Ok(6 * 7) });
///     assert_eq!(task.await?, 42);
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Panics
/// If no loop runs in this thread; [`EventLoop::create_task`] needs none to run.
///
/// Mirrors [`asyncio.create_task`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.create_task).
#[track_caller]
pub fn create_task<F, T>(coroutine: F) -> Task<T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    TaskOptions::new().create_task(coroutine)
}

impl EventLoop {
    /// Has this loop run `coroutine` as a task.
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) if the loop is closed.
    #[track_caller]
    pub fn create_task<F, T>(&self, coroutine: F) -> Result<Task<T>>
    where
        F: StdFuture<Output = Result<T>> + 'static,
        T: 'static,
    {
        TaskOptions::new().create_task_in(self, coroutine)
    }
}

/// How a task is created: the keyword arguments of `create_task`.
///
/// ```
/// use hilos_asyncio as asyncio;
/// use asyncio::TaskOptions;
///
/// asyncio::run(async {
///     let eager = TaskOptions::new().with_name("eager").with_eager_start(true);
///     let task = eager.create_task(async { Ok(()) });
///     assert!(task.done());
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "no task is created yet"]
pub struct TaskOptions {
    name: Option<String>,
    context: Option<Context>,
    eager_start: bool,
}

impl TaskOptions {
    /// The options that `create_task(coroutine)` has.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task.
    pub fn with_name<N: Into<String>>(self, name: N) -> Self {
        let name = Some(name.into());
        Self { name, ..self }
    }

    /// The context in which the coroutine runs, instead of a copy of the current one.
    pub fn with_context(self, context: &Context) -> Self {
        let context = Some(context.clone());
        Self { context, ..self }
    }

    /// Whether the coroutine runs at once until it first waits, if the loop is running.
    pub fn with_eager_start(self, eager_start: bool) -> Self {
        Self {
            eager_start,
            ..self
        }
    }

    /// As [`create_task`], with these options.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn create_task<F, T>(self, coroutine: F) -> Task<T>
    where
        F: StdFuture<Output = Result<T>> + 'static,
        T: 'static,
    {
        // A loop that runs is not closed.
        match self.create_task_in(&running::expect(), coroutine) {
            Ok(task) => task,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// As [`EventLoop::create_task`], with these options.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn create_task_in<F, T>(self, event_loop: &EventLoop, coroutine: F) -> Result<Task<T>>
    where
        F: StdFuture<Output = Result<T>> + 'static,
        T: 'static,
    {
        let Self {
            name,
            context,
            eager_start,
        } = self;
        let location = Location::caller();
        let making = Making {
            name,
            context,
            eager_start,
            location,
        };
        spawn(event_loop, coroutine, making)
    }
}
