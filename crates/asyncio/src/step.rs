//! What the awaits inside a coroutine know of the step that polls them.

use std::cell::Cell;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker};

use hilos_core::lazy_context::LazyContext;

use crate::any_future::AnyRc;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::few;
use crate::running;
use crate::site;
use crate::threadsafe::TaskKey;

/// A loop's task that is being polled, and what its awaits have to know and to say.
///
/// Each in a cell of its own: to copy them all at once, just after they were written, is slow.
pub(crate) struct CurrentStep {
    /// Where the loop's registry has the task; `NOBODY` in a callback.
    place: Cell<u32>,
    /// What the waker of the poll refers to; combinators poll with wakers of their own.
    waker: Cell<*const ()>,
    /// The exception that the innermost await shall return.
    throw: Cell<Option<Exception>>,
    /// Whether the coroutine only lets others run.
    yielded: Cell<bool>,
}

impl Default for CurrentStep {
    fn default() -> Self {
        Self {
            place: Cell::new(NOBODY),
            waker: Cell::new(ptr::null()),
            throw: Cell::default(),
            yielded: Cell::new(false),
        }
    }
}

const NOBODY: u32 = u32::MAX;

/// What a step leaves behind.
pub(crate) struct Left {
    /// The exception that no await took.
    pub(crate) throw: Option<Exception>,
    pub(crate) yielded: bool,
}

impl CurrentStep {
    /// Begins a step of the task of `key`, whose poll has a waker that refers to `waker`.
    #[inline]
    pub(crate) fn begin(&self, key: TaskKey, waker: *const (), throw: Option<Exception>) {
        self.place.set(key.place);
        self.waker.set(waker);
        self.throw.set(throw);
        self.yielded.set(false);
    }

    #[inline]
    pub(crate) fn end(&self) -> Left {
        self.place.set(NOBODY);
        self.waker.set(ptr::null());
        Left {
            throw: self.throw.take(),
            yielded: self.yielded.get(),
        }
    }

    /// Calls `step`, which takes a step of one task in the middle of another's.
    pub(crate) fn nested(&self, step: impl FnOnce()) {
        let outer_place = self.place.get();
        let outer_waker = self.waker.get();
        let outer_throw = self.throw.take();
        let outer_yielded = self.yielded.get();
        step();
        site::forget();
        self.place.set(outer_place);
        self.waker.set(outer_waker);
        self.throw.set(outer_throw);
        self.yielded.set(outer_yielded);
    }

    /// Whether waking `waker` is the same as stepping the current task.
    #[inline]
    pub(crate) fn is_direct(&self, waker: &Waker) -> bool {
        ptr::eq(waker.data(), self.waker.get())
    }

    #[inline]
    pub(crate) fn take_throw(&self) -> Option<Exception> {
        self.throw.take()
    }

    /// Ends the step for now, to go on in the next iteration; whether that is a matter of `waker`.
    #[inline]
    fn yields(&self, waker: &Waker) -> bool {
        let direct = self.is_direct(waker);
        if direct {
            self.yielded.set(true);
        }
        direct
    }
}

impl EventLoop {
    /// The task whose coroutine is being polled.
    #[inline]
    pub(crate) fn current_task(&self) -> Option<AnyRc> {
        match self.0.current.place.get() {
            NOBODY => None,
            place => self.0.tasks.borrow().at(place),
        }
    }
}

impl EventLoop {
    /// A copy of the current context, for a new task.
    pub(crate) fn copy_context(&self) -> LazyContext {
        let task = self.current_task();
        match task.as_ref().and_then(|task| task.task()) {
            Some(head) => LazyContext::copy_current_of(&head.context),
            None => LazyContext::copy_current(),
        }
    }
}

/// Tells `look` the context of the task that the thread's loop runs.
pub(crate) fn ask_for_context(look: &mut dyn FnMut(&LazyContext)) {
    let task = running::with(EventLoop::current_task).flatten();
    if let Some(head) = task.as_ref().and_then(|task| task.task()) {
        look(&head.context);
    }
}

/// Has cancellations of `task` go to `future` until its next step.
#[inline]
pub(crate) fn waits_for(task: &AnyRc, future: AnyRc) {
    if let Some(head) = task.task() {
        few::push(&head.waiters, future);
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
        if let Some(thrown) = take_throw() {
            return Poll::Ready(Err(thrown));
        }
        if resumed {
            return Poll::Ready(Ok(()));
        }
        yield_once(context);
        Poll::Pending
    }
}

/// Has the current task stepped again in the next iteration.
#[inline]
pub(crate) fn yield_once(context: &Context<'_>) {
    let direct = running::with(|event_loop| event_loop.0.current.yields(context.waker()));
    if direct != Some(true) {
        context.waker().wake_by_ref();
    }
}

#[inline]
fn take_throw() -> Option<Exception> {
    running::with(|event_loop| event_loop.0.current.take_throw()).flatten()
}

/// Makes a future that knows nothing of asyncio cancellable, as one of tokio's.
///
/// When the task is cancelled while it waits here, `future` is dropped and the result is the
/// `CancelledError`. `future` may yield a `Result` of any error, or wrap the value yourself: what
/// it yields is the value of the `Ok`. Awaited bare, such a future ends with the whole coroutine;
/// inside [`timeout`](crate::timeout()) and [`wait_for`](crate::wait_for()) it ends with those.
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
