//! What the awaits inside a coroutine know of the step that polls them.

use std::cell::Cell;
use std::future::Future as StdFuture;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use hilos_core::lazy_context::LazyContext;

use crate::any_future::AnyRc;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::few;
use crate::running;
use crate::site;
use crate::threadsafe::TaskKey;

/// A task that is being polled, and what its awaits have to know and to say.
struct CurrentStep {
    /// The task's loop, by its address.
    event_loop: Cell<*const ()>,
    /// Where the loop's registry has the task; `NOBODY` in a callback.
    place: Cell<u32>,
    /// What the waker of the poll refers to; combinators poll with wakers of their own.
    waker: Cell<*const ()>,
    /// The exception that the innermost await shall return.
    throw: ManuallyDrop<Cell<Option<Exception>>>,
    /// Whether the coroutine only lets others run.
    yielded: Cell<bool>,
}

const NOBODY: u32 = u32::MAX;

thread_local! {
    /// The step that this thread is in. Of the thread instead of the loop, and with nothing to drop:
    /// each await looks at it.
    static CURRENT: CurrentStep = const {
        CurrentStep {
            event_loop: Cell::new(ptr::null()),
            place: Cell::new(NOBODY),
            waker: Cell::new(ptr::null()),
            throw: ManuallyDrop::new(Cell::new(None)),
            yielded: Cell::new(false),
        }
    };
}

/// What a step leaves behind.
pub(crate) struct Left {
    /// The exception that no await took.
    pub(crate) throw: Option<Exception>,
    pub(crate) yielded: bool,
}

/// Begins a step of the task of `key`, whose poll has a waker that refers to `waker`.
///
/// Called rather than inlined: each task's type would make a way to the thread's step of its own.
#[inline(never)]
pub(crate) fn begin(event_loop: &EventLoop, key: TaskKey, waker: *const ()) {
    CURRENT.with(|current| {
        current.event_loop.set(event_loop.address());
        current.place.set(key.place);
        current.waker.set(waker);
        current.yielded.set(false);
    });
}

/// Has the first await of the step return `exception`.
#[cold]
pub(crate) fn throw(exception: Exception) {
    CURRENT.with(|current| current.throw.set(Some(exception)));
}

#[inline]
pub(crate) fn end() -> Left {
    CURRENT.with(|current| {
        current.place.set(NOBODY);
        current.waker.set(ptr::null());
        Left {
            throw: current.throw.take(),
            yielded: current.yielded.get(),
        }
    })
}

/// Calls `step`, which takes a step of one task in the middle of another's.
pub(crate) fn nested(step: impl FnOnce()) {
    let outer = CURRENT.with(CurrentStep::take);
    step();
    site::forget();
    CURRENT.with(|current| current.put_back(outer));
}

impl CurrentStep {
    fn take(&self) -> Self {
        Self {
            event_loop: self.event_loop.clone(),
            place: self.place.clone(),
            waker: self.waker.clone(),
            throw: ManuallyDrop::new(Cell::new(self.throw.take())),
            yielded: self.yielded.clone(),
        }
    }

    fn put_back(&self, outer: Self) {
        self.event_loop.swap(&outer.event_loop);
        self.place.swap(&outer.place);
        self.waker.swap(&outer.waker);
        self.throw.swap(&outer.throw);
        self.yielded.swap(&outer.yielded);
    }

    /// Ends the step for now, to go on in the next iteration; whether that is a matter of `waker`.
    #[inline]
    fn yields(&self, waker: &Waker) -> bool {
        let direct = ptr::eq(waker.data(), self.waker.get());
        if direct {
            self.yielded.set(true);
        }
        direct
    }
}

/// Whether waking `waker` is the same as stepping the current task.
#[inline]
pub(crate) fn is_direct(waker: &Waker) -> bool {
    CURRENT.with(|current| ptr::eq(waker.data(), current.waker.get()))
}

/// The exception that whoever asks first shall return from its await.
#[inline]
pub(crate) fn take_throw() -> Option<Exception> {
    CURRENT.with(|current| current.throw.take())
}

impl EventLoop {
    #[inline]
    fn address(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
    }

    /// The task whose coroutine is being polled.
    #[inline]
    pub(crate) fn stepping_task(&self) -> Option<AnyRc> {
        CURRENT.with(|current| {
            let place = current.place.get();
            if place == NOBODY || !ptr::eq(current.event_loop.get(), self.address()) {
                return None;
            }
            self.0.tasks.borrow().at(place)
        })
    }

    /// A copy of the current context, for a new task.
    pub(crate) fn copy_context(&self) -> LazyContext {
        let task = self.stepping_task();
        match task.as_ref().and_then(|task| task.task()) {
            Some(head) => LazyContext::copy_current_of(&head.context),
            None => LazyContext::copy_current(),
        }
    }
}

/// Tells `look` the context of the task that the thread's loop runs.
pub(crate) fn ask_for_context(look: &mut dyn FnMut(&LazyContext)) {
    let task = running::with(EventLoop::stepping_task).flatten();
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
        CURRENT.with(|current| {
            if let Some(thrown) = current.throw.take() {
                return Poll::Ready(Err(thrown));
            }
            if resumed {
                return Poll::Ready(Ok(()));
            }
            if !current.yields(context.waker()) {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }
}

/// Has the current task stepped again in the next iteration.
#[inline]
pub(crate) fn yield_once(context: &Context<'_>) {
    if !CURRENT.with(|current| current.yields(context.waker())) {
        context.waker().wake_by_ref();
    }
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
