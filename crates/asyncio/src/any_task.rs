//! A task, whatever it returns.

use std::fmt;
use std::future::Future as StdFuture;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as PollContext, Poll, ready};

use hilos_core::contextvars::Context;

use crate::any_future::{AnyRc, Callback, Head, cancel, same};
use crate::awaiting::{Awaited, Wait};
use crate::base_events::EventLoop;
use crate::events::{CallbackResult, captured};
use crate::exception::{Exception, Result};
use crate::exceptions::{InvalidStateError, Message};
use crate::futures::{self, CallbackId};
use crate::repr::debug_like_display;
use crate::running;
use crate::site::{self, WaitsIn};
use crate::task_head::TaskHead;

/// A task, whatever it returns.
///
/// What [`current_task`] and [`all_tasks`] return, because they do not know the type. Equal and
/// with the same hash as the other handles of the task.
#[derive(Clone)]
pub struct AnyTask(pub(crate) AnyRc);

impl AnyTask {
    fn task(&self) -> &TaskHead {
        self.0.task().expect("a task is made of a task")
    }

    /// As [`Future::cancel`](crate::Future::cancel).
    pub fn cancel(&self) -> bool {
        cancel(self.0.clone(), None)
    }

    /// As [`Future::cancel_with`](crate::Future::cancel_with).
    pub fn cancel_with<M: Into<Message>>(&self, msg: M) -> bool {
        cancel(self.0.clone(), Some(msg.into()))
    }

    /// As [`Task::cancelling`](crate::Task::cancelling).
    pub fn cancelling(&self) -> u32 {
        self.task().cancels.get()
    }

    /// As [`Task::uncancel`](crate::Task::uncancel).
    pub fn uncancel(&self) -> u32 {
        self.task().uncancel()
    }

    /// Whether the task is done.
    pub fn done(&self) -> bool {
        self.0.head().done()
    }

    /// Whether the task was cancelled.
    pub fn cancelled(&self) -> bool {
        self.0.head().cancelled()
    }

    /// Has `callback` called with the task when it is done; as
    /// [`Future::add_done_callback`](crate::Future::add_done_callback).
    pub fn add_done_callback<F, R>(&self, callback: F) -> CallbackId
    where
        F: FnOnce(&Self) -> R + 'static,
        R: CallbackResult,
    {
        futures::add_callback(&self.0, captured(), callback, AnyTask)
    }

    /// As [`Future::remove_done_callback`](crate::Future::remove_done_callback).
    pub fn remove_done_callback(&self, callback: CallbackId) -> usize {
        futures::remove_callback(&*self.0, callback)
    }

    /// As [`Future::exception`](crate::Future::exception).
    ///
    /// # Errors
    /// As there.
    pub fn exception(&self) -> Result<Option<Exception>> {
        if self.cancelled() {
            return Err(self.0.head().cancelled_error());
        }
        if !self.done() {
            return Err(InvalidStateError::new("Exception is not set.").into());
        }
        self.0.head().unseen.set(false);
        Ok(self.0.failure())
    }

    /// The task's name.
    pub fn get_name(&self) -> String {
        self.task().name()
    }

    /// Names the task.
    pub fn set_name<N: Into<String>>(&self, name: N) {
        self.task().set_name(name.into());
    }

    /// The context in which the coroutine runs.
    pub fn get_context(&self) -> Context {
        self.task().context.context().clone()
    }

    /// As [`Task::coro_name`](crate::Task::coro_name).
    pub fn coro_name(&self) -> String {
        self.0.coroutine().expect("a task has a coroutine")
    }

    /// The loop that runs the task.
    pub fn get_loop(&self) -> EventLoop {
        self.0.head().event_loop.clone()
    }
}

impl Awaited for AnyTask {
    fn head(&self) -> &Head {
        self.0.head()
    }

    fn erased(&self) -> AnyRc {
        self.0.clone()
    }

    fn call_when_done(&self, callback: Callback) {
        self.0.clone().add_callback(callback);
    }
}

/// What awaiting an [`AnyTask`] waits with.
///
/// Dropping it does not cancel the task.
#[must_use = "nothing waits unless it is awaited"]
pub struct AwaitTask {
    task: AnyTask,
    wait: Wait,
}

impl StdFuture for AwaitTask {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        ready!(this.wait.poll(&this.task, context))?;
        Poll::Ready(this.task.exception()?.map_or(Ok(()), Err))
    }
}

impl Drop for AwaitTask {
    fn drop(&mut self) {
        self.wait.end(&self.task);
    }
}

/// Waits for the task to end, and tells how it failed; the result stays for others.
impl IntoFuture for AnyTask {
    type Output = Result<()>;
    type IntoFuture = AwaitTask;

    #[track_caller]
    fn into_future(self) -> AwaitTask {
        site::mark(WaitsIn::Future);
        let wait = Wait::default();
        AwaitTask { task: self, wait }
    }
}

impl IntoFuture for &AnyTask {
    type Output = Result<()>;
    type IntoFuture = AwaitTask;

    #[track_caller]
    fn into_future(self) -> AwaitTask {
        self.clone().into_future()
    }
}

impl PartialEq for AnyTask {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl Eq for AnyTask {}

impl Hash for AnyTask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Rc::as_ptr(&self.0).cast::<()>().hash(state);
    }
}

impl<T: 'static> From<&crate::Task<T>> for AnyTask {
    fn from(task: &crate::Task<T>) -> Self {
        task.any()
    }
}

impl fmt::Display for AnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.repr())
    }
}

debug_like_display!(AnyTask);

/// The task that is running now; `None` in a callback, and where no loop runs.
///
/// Mirrors [`asyncio.current_task`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.current_task).
pub fn current_task() -> Option<AnyTask> {
    running::with(EventLoop::current_task).flatten()
}

/// The running loop's tasks that are not done, oldest first; none where no loop runs.
///
/// Mirrors [`asyncio.all_tasks`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.all_tasks).
pub fn all_tasks() -> Vec<AnyTask> {
    running::get().map_or_else(Vec::new, |event_loop| event_loop.all_tasks())
}

impl EventLoop {
    /// The task that this loop runs now, if it does: Python's `current_task(loop)`.
    pub fn current_task(&self) -> Option<AnyTask> {
        self.stepping_task().map(AnyTask)
    }

    /// The loop's tasks that are not done, oldest first.
    pub fn all_tasks(&self) -> Vec<AnyTask> {
        let tasks = self.0.tasks.borrow().tasks();
        tasks.into_iter().map(AnyTask).collect()
    }
}
