//! What the awaits inside a coroutine know of the step that polls them.

use std::cell::RefCell;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker};

use crate::any_future::AnyRc;
use crate::exception::{Exception, Result};
use crate::running;

/// The step that a loop is in; none in a callback.
#[derive(Default)]
pub(crate) struct CurrentStep(RefCell<Option<Step>>);

/// A poll of a task's coroutine, and what its awaits have to know and to say.
pub(crate) struct Step {
    pub(crate) task: AnyRc,
    /// What the waker of the poll refers to; combinators poll with wakers of their own.
    pub(crate) waker: *const (),
    /// The exception that the innermost await shall return; in the end, the one that none took.
    pub(crate) throw: Option<Exception>,
    /// Whether the coroutine only lets others run.
    pub(crate) yielded: bool,
}

impl Step {
    /// Whether waking `waker` is the same as stepping the task.
    fn is_direct(&self, waker: &Waker) -> bool {
        ptr::eq(waker.data(), self.waker)
    }
}

impl CurrentStep {
    /// Polls by `poll` as `step`. Steps nest where a task is started eagerly.
    #[inline]
    pub(crate) fn during<R>(&self, step: Step, poll: impl FnOnce() -> R) -> (R, Step) {
        let outer = self.0.replace(Some(step));
        let result = poll();
        let step = self.0.replace(outer);
        (result, step.expect("it was put there above"))
    }

    pub(crate) fn task(&self) -> Option<AnyRc> {
        self.0.borrow().as_ref().map(|step| step.task.clone())
    }

    /// The task that is being polled, and whether waking `waker` is the same as stepping it.
    #[inline]
    pub(crate) fn task_and_directness(&self, waker: &Waker) -> Option<(AnyRc, bool)> {
        let step = self.0.borrow();
        let step = step.as_ref()?;
        Some((step.task.clone(), step.is_direct(waker)))
    }

    #[inline]
    pub(crate) fn take_throw(&self) -> Option<Exception> {
        self.0.borrow_mut().as_mut()?.throw.take()
    }

    /// Ends the step for now, to go on in the next iteration; whether that is a matter of `waker`.
    #[inline]
    fn yields(&self, waker: &Waker) -> bool {
        match &mut *self.0.borrow_mut() {
            Some(step) if step.is_direct(waker) => {
                step.yielded = true;
                true
            }
            _ => false,
        }
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

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let resumed = std::mem::replace(&mut self.yielded, true);
        let in_task = running::with(|event_loop| {
            let current = &event_loop.0.current;
            match current.take_throw() {
                Some(thrown) => Err(thrown),
                None => Ok(resumed || current.yields(context.waker())),
            }
        });
        match in_task {
            Some(Err(thrown)) => return Poll::Ready(Err(thrown)),
            _ if resumed => return Poll::Ready(Ok(())),
            Some(Ok(true)) => {}
            _ => context.waker().wake_by_ref(),
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
