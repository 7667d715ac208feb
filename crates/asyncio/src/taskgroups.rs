//! `asyncio.TaskGroup`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future as StdFuture;
use std::panic::Location;
use std::rc::Rc;

use crate::any_future::{AnyRc, Notify, cancel};
use crate::any_task::{AnyTask, current_task};
use crate::awaiting::notify_when_done;
use crate::base_events::EventLoop;
use crate::create_task::TaskOptions;
use crate::exception::{Exception, Result};
use crate::exceptions::{ExceptionGroup, RuntimeError};
use crate::futures::Future;
use crate::handler::ExceptionContext;
use crate::in_order::InOrder;
use crate::repr::debug_like_display;
use crate::running;
use crate::site::{self, WaitsIn};
use crate::step::catch_cancel;
use crate::tasks::Task;
use crate::wait::release;

/// Runs `body` with a group of tasks, and waits until they have all ended.
///
/// If a task or the body fails, the others are cancelled, and the result is an
/// [`ExceptionGroup`] of what they failed with.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let (one, two) = asyncio::task_group(async |group| {
///         Ok((group.create_task(async { Ok(1) }), group.create_task(async { Ok(2) })))
///     })
///     .await?;
///     assert_eq!(one.result()? + two.result()?, 3);
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// [`ExceptionGroup`], the `CancelledError` of a task that is cancelled meanwhile, a request to
/// exit; [`RuntimeError`] outside a task.
///
/// Mirrors [`asyncio.TaskGroup`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.TaskGroup).
#[track_caller]
pub fn task_group<T: 'static, F: AsyncFnOnce(TaskGroup) -> Result<T>>(
    body: F,
) -> impl StdFuture<Output = Result<T>> {
    let group = TaskGroup::at(Location::caller());
    async move { group.run_here(body).await }
}

/// Tasks that end together.
///
/// [`task_group`] makes one and hands it to the body. A handle: clones are the same group, and
/// tasks of the group may create further ones.
///
/// # Differences from Python
/// - [`create_task`](Self::create_task) panics where Python raises; [`try_create_task`] does not.
///
/// Mirrors [`asyncio.TaskGroup`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.TaskGroup).
///
/// [`try_create_task`]: Self::try_create_task
#[derive(Clone)]
pub struct TaskGroup(Rc<Inner>);

struct Inner {
    /// Where the program runs the group.
    location: Cell<&'static Location<'static>>,
    entered: Cell<bool>,
    exiting: Cell<bool>,
    /// Whether the tasks have been cancelled.
    aborting: Cell<bool>,
    event_loop: RefCell<Option<EventLoop>>,
    parent: RefCell<Option<AnyTask>>,
    /// Whether the group has cancelled its own body.
    parent_cancel_requested: Cell<bool>,
    tasks: RefCell<InOrder<AnyRc>>,
    errors: RefCell<Vec<Exception>>,
    /// The first request to exit.
    exit_request: RefCell<Option<Exception>>,
    /// What the exit waits for.
    on_completed: RefCell<Option<Future<()>>>,
}

impl Default for TaskGroup {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl TaskGroup {
    /// A group that nothing has entered yet; see [`run`](Self::run).
    #[track_caller]
    pub fn new() -> Self {
        Self::at(Location::caller())
    }

    fn at(location: &'static Location<'static>) -> Self {
        Self(Rc::new(Inner {
            location: Cell::new(location),
            entered: Cell::new(false),
            exiting: Cell::new(false),
            aborting: Cell::new(false),
            event_loop: RefCell::default(),
            parent: RefCell::default(),
            parent_cancel_requested: Cell::new(false),
            tasks: RefCell::default(),
            errors: RefCell::default(),
            exit_request: RefCell::default(),
            on_completed: RefCell::default(),
        }))
    }

    /// Runs `body` with the group, once: Python's `async with`.
    ///
    /// # Errors
    /// As [`task_group`]; [`RuntimeError`] if it was run before.
    #[track_caller]
    pub fn run<T: 'static, F: AsyncFnOnce(Self) -> Result<T>>(
        &self,
        body: F,
    ) -> impl StdFuture<Output = Result<T>> {
        self.0.location.set(Location::caller());
        self.run_here(body)
    }

    async fn run_here<T, F>(&self, body: F) -> Result<T>
    where
        T: 'static,
        F: AsyncFnOnce(Self) -> Result<T>,
    {
        self.enter()?;
        let leaving = Leaving(self);
        let result = catch_cancel(body(self.clone())).await;
        let result = self.exit(result).await;
        std::mem::forget(leaving);
        result
    }

    fn enter(&self) -> Result<()> {
        if self.0.entered.get() {
            return error(format!("TaskGroup {self} has already been entered"));
        }
        let Some(parent) = current_task() else {
            return error(format!("TaskGroup {self} cannot determine the parent task"));
        };
        self.0.event_loop.replace(Some(parent.get_loop()));
        self.0.parent.replace(Some(parent));
        self.0.entered.set(true);
        if self.0.aborting.get() {
            self.cancel_parent();
        }
        Ok(())
    }

    async fn exit<T: 'static>(&self, result: Result<T>) -> Result<T> {
        self.0.exiting.set(true);
        let mut cancellation = None;
        if let Err(exception) = &result {
            if exception.is_exit() {
                self.note_exit_request(exception);
            }
            if exception.is_cancelled() {
                cancellation = Some(exception.clone());
            }
            if !self.0.aborting.get() {
                self.abort();
            }
        }
        self.wait_for_tasks(&mut cancellation).await?;
        if let Some(exception) = self.0.exit_request.take() {
            return Err(exception);
        }
        let parent = self.parent()?;
        if self.0.parent_cancel_requested.get() && parent.uncancel() == 0 {
            cancellation = None;
        }
        self.outcome(result, cancellation, &parent)
    }

    async fn wait_for_tasks(&self, cancellation: &mut Option<Exception>) -> Result<()> {
        while !self.0.tasks.borrow().is_empty() {
            let completed = self.event_loop()?.create_future();
            self.0.on_completed.replace(Some(completed.clone()));
            site::mark_at(WaitsIn::TaskGroup, self.0.location.get());
            if let Err(exception) = completed.waiting().await
                && !self.0.aborting.get()
            {
                // The task that the body belongs to is being cancelled.
                *cancellation = Some(exception);
                self.abort();
            }
            self.0.on_completed.take();
        }
        Ok(())
    }

    fn outcome<T: 'static>(
        &self,
        result: Result<T>,
        cancellation: Option<Exception>,
        parent: &AnyTask,
    ) -> Result<T> {
        let mut errors = self.0.errors.take();
        if let Some(cancellation) = cancellation
            && errors.is_empty()
        {
            return Err(cancellation);
        }
        let value = match result {
            Ok(value) => Some(value),
            Err(exception) => {
                if !exception.is_cancelled() {
                    errors.push(exception);
                }
                None
            }
        };
        if errors.is_empty() {
            return value.or_else(nothing).ok_or_else(|| {
                RuntimeError::new("the task group was cancelled before its body had a result")
                    .into()
            });
        }
        if parent.cancelling() > 0 {
            // Somebody else has cancelled the task as well: that shall not be lost.
            parent.uncancel();
            parent.cancel();
        }
        Err(ExceptionGroup::new("unhandled errors in a TaskGroup", errors).into())
    }

    /// Has the loop run `coroutine` as a task of this group.
    ///
    /// # Panics
    /// If the group is not entered, has ended, or is shutting down: in Python a `RuntimeError`.
    #[track_caller]
    pub fn create_task<F, T>(&self, coroutine: F) -> Task<T>
    where
        F: StdFuture<Output = Result<T>> + 'static,
        T: 'static,
    {
        match self.try_create_task(TaskOptions::new(), coroutine) {
            Ok(task) => task,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Like [`create_task`](Self::create_task), with options, and an error instead of a panic.
    ///
    /// # Errors
    /// [`RuntimeError`] if the group is not entered, has ended, or is shutting down.
    #[track_caller]
    pub fn try_create_task<F, T>(&self, options: TaskOptions, coroutine: F) -> Result<Task<T>>
    where
        F: StdFuture<Output = Result<T>> + 'static,
        T: 'static,
    {
        if !self.0.entered.get() {
            return error(format!("TaskGroup {self} has not been entered"));
        }
        if self.0.exiting.get() && self.0.tasks.borrow().is_empty() {
            return error(format!("TaskGroup {self} is finished"));
        }
        if self.0.aborting.get() {
            return error(format!("TaskGroup {self} is shutting down"));
        }
        let task = options.create_task_in(&self.event_loop()?, coroutine)?;
        // An eager task may be done: its failure must not cancel this task before it has gone on.
        self.0.tasks.borrow_mut().push(task.erased());
        notify_when_done(&task.erased(), self.0.clone());
        Ok(task)
    }

    /// Cancels the tasks and the body; the group then ends without an error.
    ///
    /// It may be called at any time and more than once. A body that was cut short has no result:
    /// [`task_group`] then returns `()`, and fails with a [`RuntimeError`] where it should return
    /// something else.
    pub fn cancel(&self) {
        if !self.0.aborting.get() {
            self.abort();
        }
        let exited = self.0.exiting.get() && self.0.tasks.borrow().is_empty();
        if self.0.entered.get() && !exited && !self.0.parent_cancel_requested.get() {
            self.cancel_parent();
        }
    }

    fn parent(&self) -> Result<AnyTask> {
        let parent = self.0.parent.borrow().clone();
        parent.map_or_else(|| error("TaskGroup has no parent task".to_owned()), Ok)
    }

    fn event_loop(&self) -> Result<EventLoop> {
        let event_loop = self.0.event_loop.borrow().clone();
        event_loop.map_or_else(running::get_running_loop, Ok)
    }

    fn cancel_parent(&self) {
        self.0.parent_cancel_requested.set(true);
        if let Ok(parent) = self.parent() {
            parent.cancel();
        }
    }

    fn abort(&self) {
        self.0.aborting.set(true);
        let tasks = self.0.tasks.borrow().to_vec();
        for task in tasks {
            cancel(task, None);
        }
    }

    fn note_exit_request(&self, exception: &Exception) {
        self.0
            .exit_request
            .borrow_mut()
            .get_or_insert_with(|| exception.clone());
    }

    fn on_task_done(&self, task: &AnyRc) {
        self.0.tasks.borrow_mut().remove(task);
        if self.0.tasks.borrow().is_empty()
            && let Some(completed) = &*self.0.on_completed.borrow()
        {
            release(completed);
        }
        if task.head().cancelled() {
            return;
        }
        task.head().unseen.set(false);
        if let Some(exception) = task.failure() {
            self.on_task_failed(task, exception);
        }
    }

    fn on_task_failed(&self, task: &AnyRc, exception: Exception) {
        self.0.errors.borrow_mut().push(exception.clone());
        if exception.is_exit() {
            self.note_exit_request(&exception);
        }
        let parent = self.0.parent.borrow().clone();
        if let Some(parent) = parent.filter(AnyTask::done) {
            let message = format!(
                "Task {} has errored out but its parent task {parent} is already completed",
                task.repr()
            );
            let context = ExceptionContext::new(message).with_exception(exception);
            let context = context.with_task(AnyTask(task.clone()));
            task.head().event_loop.report(context);
            return;
        }
        if !self.0.aborting.get() && !self.0.parent_cancel_requested.get() {
            self.abort();
            self.cancel_parent();
        }
    }
}

impl Notify for Inner {
    fn notify(self: Rc<Self>, task: AnyRc) {
        TaskGroup(self).on_task_done(&task);
    }

    fn waits_for(self: Rc<Self>) -> Option<AnyRc> {
        self.parent.borrow().as_ref().map(|parent| parent.0.clone())
    }
}

/// The result of a body that should return nothing and was cut short.
fn nothing<T: 'static>() -> Option<T> {
    let nothing: Box<dyn Any> = Box::new(());
    nothing.downcast().ok().map(|nothing| *nothing)
}

fn error<T>(message: String) -> Result<T> {
    Err(RuntimeError::new(message).into())
}

/// Cancels the tasks of a group whose body is dropped or panics.
struct Leaving<'g>(&'g TaskGroup);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.0.exiting.set(true);
        self.0.abort();
    }
}

impl fmt::Display for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<TaskGroup")?;
        match self.0.tasks.borrow().len() {
            0 => {}
            tasks => write!(f, " tasks={tasks}")?,
        }
        match self.0.errors.borrow().len() {
            0 => {}
            errors => write!(f, " errors={errors}")?,
        }
        if self.0.aborting.get() {
            f.write_str(" cancelling")?;
        } else if self.0.entered.get() {
            f.write_str(" entered")?;
        }
        f.write_str(">")
    }
}

debug_like_display!(TaskGroup);
