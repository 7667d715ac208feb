//! `asyncio.create_task` and its keyword arguments.

use std::future::Future as StdFuture;
use std::panic::Location;
use std::rc::Rc;

use hilos_core::contextvars::Context;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::running;
use crate::task_cell::{Making, spawn};
use crate::tasks::Task;

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
    eager_start: Option<bool>,
}

/// What a loop makes of the options of each new task.
pub type TaskFactory = Rc<dyn Fn(TaskOptions) -> TaskOptions>;

/// Starts each task eagerly: for [`EventLoop::set_task_factory`].
///
/// Mirrors [`asyncio.eager_task_factory`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.eager_task_factory).
pub fn eager_task_factory(options: TaskOptions) -> TaskOptions {
    match options.eager_start {
        None => options.with_eager_start(true),
        Some(_) => options,
    }
}

/// A task factory that starts each task eagerly and has `factory` change its other options.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let factory = |options: asyncio::TaskOptions| options.with_name("eager");
///     asyncio::get_running_loop()?.set_task_factory(asyncio::create_eager_task_factory(factory));
///     let task = asyncio::create_task(async { Ok(()) });
///     assert_eq!((task.done(), task.get_name().as_str()), (true, "eager"));
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - There is one type of task: `factory` takes the place of its constructor.
///
/// Mirrors [`asyncio.create_eager_task_factory`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.create_eager_task_factory).
pub fn create_eager_task_factory<F>(factory: F) -> impl Fn(TaskOptions) -> TaskOptions + use<F>
where
    F: Fn(TaskOptions) -> TaskOptions,
{
    move |options| factory(eager_task_factory(options))
}

impl EventLoop {
    /// Has `factory` change the options of every task that is created from now on.
    ///
    /// ```
    /// use hilos_asyncio as asyncio;
    ///
    /// asyncio::run(async {
    ///     let event_loop = asyncio::get_running_loop()?;
    ///     event_loop.set_task_factory(asyncio::eager_task_factory);
    ///     assert!(asyncio::create_task(async { Ok(()) }).done());
    ///     event_loop.reset_task_factory();
    ///     assert!(!asyncio::create_task(async { Ok(()) }).done());
    ///     Ok(())
    /// })?;
    /// # Ok::<(), asyncio::Exception>(())
    /// ```
    ///
    /// # Differences from Python
    /// - The factory is given the keyword arguments and returns them, instead of making the task.
    pub fn set_task_factory<F: Fn(TaskOptions) -> TaskOptions + 'static>(&self, factory: F) {
        let old = self.0.task_factory.replace(Some(Rc::new(factory)));
        drop(old);
    }

    /// Has tasks created as they are by default.
    pub fn reset_task_factory(&self) {
        let old = self.0.task_factory.take();
        drop(old);
    }

    /// The task factory that is set, if one is.
    pub fn get_task_factory(&self) -> Option<TaskFactory> {
        self.0.task_factory.borrow().clone()
    }

    /// Whether a task factory is set.
    pub fn has_task_factory(&self) -> bool {
        self.0.task_factory.borrow().is_some()
    }
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
        let eager_start = Some(eager_start);
        Self {
            eager_start,
            ..self
        }
    }

    /// The name that the task will have, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The context that the coroutine will run in, if it was given one.
    pub fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    /// Whether the coroutine shall run at once, if that was said.
    pub fn eager_start(&self) -> Option<bool> {
        self.eager_start
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
        let location = Location::caller();
        let task = running::get_running_loop()
            .and_then(|event_loop| self.create_task_at(location, &event_loop, coroutine));
        match task {
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
        self.create_task_at(Location::caller(), event_loop, coroutine)
    }

    pub(crate) fn create_task_at<F, T>(
        self,
        location: &'static Location<'static>,
        event_loop: &EventLoop,
        coroutine: F,
    ) -> Result<Task<T>>
    where
        F: StdFuture<Output = Result<T>> + 'static,
        T: 'static,
    {
        let factory = event_loop.get_task_factory();
        let Self {
            name,
            context,
            eager_start,
        } = match factory {
            Some(factory) => factory(self),
            None => self,
        };
        let making = Making {
            name,
            context,
            eager_start: eager_start.unwrap_or(false),
            location,
        };
        spawn(event_loop, coroutine, making)
    }
}
