//! What the awaits inside a coroutine know of the step that polls them.

use std::cell::{Cell, RefCell};
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker};

use crate::any_future::AnyRc;
use crate::exception::{Exception, Result};
use crate::running;

/// A loop's task that is being polled, and what its awaits have to know and to say.
pub(crate) struct CurrentStep {
    task: RefCell<Option<AnyRc>>,
    /// What the waker of the poll refers to; combinators poll with wakers of their own.
    waker: Cell<*const ()>,
    /// The exception that the innermost await shall return.
    throw: RefCell<Option<Exception>>,
    /// Whether the coroutine only lets others run.
    yielded: Cell<bool>,
}

impl Default for CurrentStep {
    fn default() -> Self {
        Self {
            task: RefCell::default(),
            waker: Cell::new(ptr::null()),
            throw: RefCell::default(),
            yielded: Cell::new(false),
        }
    }
}

/// What a step leaves behind.
pub(crate) struct Left {
    /// The exception that no await took.
    pub(crate) throw: Option<Exception>,
    pub(crate) yielded: bool,
}

impl CurrentStep {
    /// Polls by `poll` as a step of `task`. Steps nest where a task is started eagerly.
    pub(crate) fn during<R>(
        &self,
        task: AnyRc,
        waker: *const (),
        throw: Option<Exception>,
        poll: impl FnOnce() -> R,
    ) -> (R, Left) {
        let outer_task = self.task.replace(Some(task));
        let outer_waker = self.waker.replace(waker);
        let outer_throw = self.throw.replace(throw);
        let outer_yielded = self.yielded.replace(false);
        let result = poll();
        let task = self.task.replace(outer_task);
        self.waker.set(outer_waker);
        let throw = self.throw.replace(outer_throw);
        let yielded = self.yielded.replace(outer_yielded);
        drop(task);
        (result, Left { throw, yielded })
    }

    pub(crate) fn task(&self) -> Option<AnyRc> {
        self.task.borrow().clone()
    }

    /// Whether waking `waker` is the same as stepping the current task.
    pub(crate) fn is_direct(&self, waker: &Waker) -> bool {
        ptr::eq(waker.data(), self.waker.get())
    }

    pub(crate) fn take_throw(&self) -> Option<Exception> {
        self.throw.borrow_mut().take()
    }
}

/// Has cancellations of `task` go to `future` until its next step.
pub(crate) fn waits_for(task: &AnyRc, future: AnyRc) {
    if let Some(head) = task.task() {
        head.waiters.borrow_mut().push(future);
    }
}

/// Lets everything run that is ready, and then goes on: a bare `yield` in Python.
#[derive(Default)]
pub(crate) struct Yield {
    yielded: bool,
}

impl StdFuture for Yield {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if let Some(thrown) = take_throw() {
            return Poll::Ready(Err(thrown));
        }
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(Ok(()));
        }
        let direct = running::with(|event_loop| {
            let current = &event_loop.0.current;
            let direct = current.is_direct(context.waker());
            if direct {
                current.yielded.set(true);
            }
            direct
        });
        if direct != Some(true) {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

fn take_throw() -> Option<Exception> {
    running::with(|event_loop| event_loop.0.current.take_throw()).flatten()
}

/// Makes a future that knows nothing of asyncio cancellable, as one of tokio's.
///
/// When the task is cancelled while it waits here, `future` is dropped and the result is the
/// `CancelledError`. `future` may yield a `Result` of any error, or wrap the value yourself: what
/// it yields is the value of the `Ok`.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let task = asyncio::create_task(async {
///         asyncio::cancellable(std::future::pending::<()>()).await
///     });
///     asyncio::sleep(0).await?;
///     task.cancel();
///     assert!(task.await.unwrap_err().is_cancelled());
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
pub async fn cancellable<F: StdFuture>(future: F) -> Result<F::Output> {
    catch_cancel(async { Ok(future.await) }).await
}

/// Yields what `inner` does, or the cancellation that nothing in `inner` took: then it is dropped.
pub(crate) async fn catch_cancel<T, F: StdFuture<Output = Result<T>>>(inner: F) -> Result<T> {
    let mut inner = std::pin::pin!(inner);
    let mut started = false;
    std::future::poll_fn(|context| {
        let resumed = std::mem::replace(&mut started, true);
        let polled = inner.as_mut().poll(context);
        if polled.is_pending()
            && resumed
            && let Some(thrown) = take_throw()
        {
            return Poll::Ready(Err(thrown));
        }
        polled
    })
    .await
}
