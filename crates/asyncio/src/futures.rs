//! `asyncio.Future`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use hilos_core::contextvars::Context;

use crate::any_future::{AnyFuture, AnyRc, Callback, Head, cancel};
use crate::awaiting::Await;
use crate::base_events::EventLoop;
use crate::core::{Core, Plain, Typed};
use crate::events::{CallbackResult, captured, exception_in, guard};
use crate::exception::{Exception, Result};
use crate::exceptions::{InvalidStateError, Message};
use crate::repr::{debug_like_display, function_name};
use crate::running;
use crate::site::{self, WaitsIn};
use crate::tasks::Task;

/// A result that will be there later.
///
/// [`EventLoop::create_future`] makes one for callbacks that are to wake a coroutine; tasks are
/// futures too, whose result is their coroutine's. A handle: clones are the same future, equal and
/// with the same hash.
///
/// `future.await` takes the result out, `(&future).await` leaves it for others and returns a
/// clone.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let event_loop = asyncio::get_running_loop()?;
///     let future = event_loop.create_future();
///     let promise = future.clone();
///     event_loop.call_soon(move || promise.set_result("done"))?;
///     assert_eq!(future.await?, "done");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - Awaiting by value takes the result, so that it need not be `Clone`; who asks later gets an
///   `InvalidStateError`.
/// - [`add_done_callback`](Self::add_done_callback) returns what
///   [`remove_done_callback`](Self::remove_done_callback) takes.
///
/// Mirrors [`asyncio.Future`](https://docs.python.org/3.14/library/asyncio-future.html#asyncio.Future).
pub struct Future<T>(pub(crate) Rc<dyn Typed<T>>);

/// Names a callback that was added to a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackId(u64);

impl<T: 'static> Future<T> {
    /// Creates a future of the [current](crate::get_event_loop) loop.
    ///
    /// # Panics
    /// If no loop runs in this thread and [none is set](crate::set_event_loop);
    /// [`EventLoop::create_future`] needs neither.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "it may panic")]
    pub fn new() -> Self {
        Self::new_in(&running::expect())
    }

    pub(crate) fn new_in(event_loop: &EventLoop) -> Self {
        Self(Rc::new(Plain(Core::new(event_loop.clone()), ())))
    }

    pub(crate) fn core(&self) -> &Core<T> {
        self.0.core()
    }

    pub(crate) fn head(&self) -> &Head {
        &self.core().head
    }

    /// Makes a future that has a result, and that nobody else knows any more, pending again; `false`
    /// if somebody may know it.
    pub(crate) fn renew(&self) -> bool {
        let alone = Rc::strong_count(&self.0) == 1 && Rc::weak_count(&self.0) == 0;
        if alone {
            self.core().renew();
        }
        alone
    }

    pub(crate) fn erased(&self) -> AnyRc {
        self.0.clone()
    }

    /// The loop that the future belongs to.
    pub fn get_loop(&self) -> EventLoop {
        self.head().event_loop.clone()
    }

    /// Whether there is a result or an exception, or the future was cancelled.
    pub fn done(&self) -> bool {
        self.head().done()
    }

    /// Whether the future was cancelled.
    pub fn cancelled(&self) -> bool {
        self.head().cancelled()
    }

    /// Cancels the future; says whether it was not done yet.
    ///
    /// A task is only asked to end: its coroutine gets a `CancelledError` where it waits.
    pub fn cancel(&self) -> bool {
        cancel(self.erased(), None)
    }

    /// Like [`cancel`](Self::cancel), with a text for the `CancelledError`.
    pub fn cancel_with<M: Into<Message>>(&self, msg: M) -> bool {
        cancel(self.erased(), Some(msg.into()))
    }

    /// A clone of the result.
    ///
    /// # Errors
    /// The future's exception, its `CancelledError`, or [`InvalidStateError`] if it is not done or
    /// somebody took the result.
    pub fn result(&self) -> Result<T>
    where
        T: Clone,
    {
        self.core().result(|value| value.clone())
    }

    /// Takes the result out.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub fn take_result(&self) -> Result<T> {
        self.core().result(Option::take)
    }

    /// The exception that the future failed with, `None` if it has a result.
    ///
    /// # Errors
    /// The future's `CancelledError`, or [`InvalidStateError`] if it is not done.
    pub fn exception(&self) -> Result<Option<Exception>> {
        if self.cancelled() {
            return Err(self.head().cancelled_error());
        }
        if !self.done() {
            return Err(InvalidStateError::new("Exception is not set.").into());
        }
        self.head().unseen.set(false);
        Ok(self.0.failure())
    }

    /// Completes the future with a result.
    ///
    /// # Errors
    /// [`InvalidStateError`] if it is done; `value` is dropped. A task sets its own result.
    pub fn set_result(&self, value: T) -> Result<()> {
        self.check_settable("set_result")?;
        self.0.clone().succeed(value);
        Ok(())
    }

    /// Completes the future with an exception.
    ///
    /// # Errors
    /// As [`set_result`](Self::set_result).
    pub fn set_exception<E: Into<Exception>>(&self, exception: E) -> Result<()> {
        self.check_settable("set_exception")?;
        self.0.clone().fail(exception.into());
        Ok(())
    }

    #[inline]
    fn check_settable(&self, operation: &str) -> Result<()> {
        match self.done() || self.0.task().is_some() {
            true => Err(self.not_settable(operation)),
            false => Ok(()),
        }
    }

    #[cold]
    fn not_settable(&self, operation: &str) -> Exception {
        if self.0.task().is_some() {
            let message = format!("Task does not support {operation} operation");
            return crate::RuntimeError::new(message).into();
        }
        let state = match self.cancelled() {
            true => "CANCELLED",
            false => "FINISHED",
        };
        InvalidStateError::new(format!("{state}: {self}")).into()
    }

    /// Has `callback` called with the future when it is done: soon, if it is already.
    ///
    /// The loop calls it in a copy of the current context. An error that it returns goes to the
    /// loop's exception handler.
    pub fn add_done_callback<F, R>(&self, callback: F) -> CallbackId
    where
        F: FnOnce(&Self) -> R + 'static,
        R: CallbackResult,
    {
        self.add_callback(captured(), callback)
    }

    /// Like [`add_done_callback`](Self::add_done_callback), in the given context.
    pub fn add_done_callback_with_context<F, R>(&self, context: &Context, callback: F) -> CallbackId
    where
        F: FnOnce(&Self) -> R + 'static,
        R: CallbackResult,
    {
        self.add_callback(Some(context.clone()), callback)
    }

    fn add_callback<F, R>(&self, context: Option<Context>, callback: F) -> CallbackId
    where
        F: FnOnce(&Self) -> R + 'static,
        R: CallbackResult,
    {
        // The callback does not own the future: whoever calls it does.
        let this = Rc::downgrade(&self.0);
        add_callback(&self.erased(), context, callback, move |_| {
            Self(this.upgrade().expect("whoever calls has it"))
        })
    }

    /// Removes a callback, and says how many were removed: 1, or 0 if its call was scheduled before.
    pub fn remove_done_callback(&self, callback: CallbackId) -> usize {
        remove_callback(&*self.0, callback)
    }

    /// Waits inside a function of asyncio: call graphs show where that was called.
    pub(crate) fn waiting(self) -> Await<T> {
        Await::new(self, Option::take)
    }

    fn address(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
    }
}

/// Has `callback` called with the handle that `handle` makes of the future when that is done.
pub(crate) fn add_callback<F, R, H>(
    future: &AnyRc,
    context: Option<Context>,
    callback: F,
    handle: impl FnOnce(AnyRc) -> H + 'static,
) -> CallbackId
where
    F: FnOnce(&H) -> R + 'static,
    R: CallbackResult,
{
    let id = future.head().event_loop.next_callback_id();
    let call = move |future: AnyRc| {
        let event_loop = future.head().event_loop.clone();
        let handle = handle(future);
        let failure = || exception_in(function_name::<F>());
        guard(&event_loop, context.as_ref(), || callback(&handle), failure);
    };
    let call = Callback::Call(Box::new((id, Box::new(call))));
    future.clone().add_callback(call);
    CallbackId(id)
}

/// Removes a callback of the program's, and says how many were there.
pub(crate) fn remove_callback(future: &dyn AnyFuture, callback: CallbackId) -> usize {
    future.remove_callbacks(
        &mut |other| matches!(other, Callback::Call(called) if called.0 == callback.0),
    )
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: 'static> PartialEq for Future<T> {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl<T: 'static> Eq for Future<T> {}

impl<T: 'static> PartialEq<Task<T>> for Future<T> {
    fn eq(&self, other: &Task<T>) -> bool {
        *self == other.0
    }
}

impl<T: 'static> Hash for Future<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl<T: 'static> IntoFuture for Future<T> {
    type Output = Result<T>;
    type IntoFuture = Await<T>;

    /// Waits for the result and takes it.
    #[track_caller]
    fn into_future(self) -> Await<T> {
        site::mark(WaitsIn::Future);
        self.waiting()
    }
}

impl<T: Clone + 'static> IntoFuture for &Future<T> {
    type Output = Result<T>;
    type IntoFuture = Await<T>;

    /// Waits for the result and clones it.
    #[track_caller]
    fn into_future(self) -> Await<T> {
        site::mark(WaitsIn::Future);
        Await::new(self.clone(), |value| value.clone())
    }
}

impl<T: 'static> fmt::Display for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.repr())
    }
}

debug_like_display!(Future<T>);
