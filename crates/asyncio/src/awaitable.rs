//! What can be awaited, and what can be made a future.

use std::future::Future as StdFuture;
use std::panic::Location;

use crate::any_future::AnyRc;
use crate::any_task::AnyTask;
use crate::base_events::EventLoop;
use crate::create_task::TaskOptions;
use crate::exception::Result;
use crate::exceptions::CancelledError;
use crate::futures::Future;
use crate::running;
use crate::tasks::Task;

/// What asyncio's functions wait for: a coroutine, a [`Task`], a [`Future`] or a reference to one
/// of the latter.
///
/// A coroutine is any Rust future that yields an asyncio [`Result`]. By value, a task or future
/// gives its result away; by reference it keeps it, and the result must be `Clone`.
pub trait Awaitable: IntoFuture<Output = Result<<Self as Awaitable>::Value>> {
    /// What is there in the end.
    type Value;

    /// The future, if it is one already.
    #[doc(hidden)]
    fn existing(&self) -> Option<Existing> {
        None
    }
}

/// A future that an [`Awaitable`] is a handle of.
#[doc(hidden)]
#[expect(unnameable_types, reason = "nobody outside calls what returns it")]
pub struct Existing(pub(crate) AnyRc);

/// What can be made a future of a loop, as [`ensure_future`] does.
pub trait Ensure: Awaitable {
    #[doc(hidden)]
    fn ensure(
        self,
        event_loop: &EventLoop,
        location: &'static Location<'static>,
    ) -> Result<Ensured<Self::Value>>;
}

/// A future, and how to get the value out of it.
#[doc(hidden)]
#[expect(unnameable_types, reason = "nobody outside calls what returns it")]
pub struct Ensured<T: 'static> {
    pub(crate) future: Future<T>,
    pub(crate) get: fn(&mut Option<T>) -> Option<T>,
}

impl<T: 'static> Ensured<T> {
    fn taking(future: Future<T>) -> Self {
        let get = Option::take;
        Self { future, get }
    }

    /// The value or the exception of the future, which is done.
    pub(crate) fn result(&self) -> Result<T> {
        self.future.core().result(self.get)
    }

    /// The same as one of several results. CPython makes a `CancelledError` anew for it, with the
    /// text that a future was cancelled with; a task's own text went to its coroutine.
    pub(crate) fn outcome(&self) -> Result<T> {
        let head = self.future.head();
        match head.cancelled() {
            true => Err(CancelledError::new(head.message()).into()),
            false => self.result(),
        }
    }
}

impl<T, F: StdFuture<Output = Result<T>>> Awaitable for F {
    type Value = T;
}

impl<T: 'static, F: StdFuture<Output = Result<T>> + 'static> Ensure for F {
    fn ensure(
        self,
        event_loop: &EventLoop,
        location: &'static Location<'static>,
    ) -> Result<Ensured<T>> {
        let task = TaskOptions::new().create_task_at(location, event_loop, self)?;
        Ok(Ensured::taking(task.0))
    }
}

macro_rules! handles {
    ($($type:ty, [$($bound:tt)*], $future:expr, $get:expr;)*) => {$(
        impl<T: $($bound)* 'static> Awaitable for $type {
            type Value = T;

            fn existing(&self) -> Option<Existing> {
                let future: fn(&$type) -> Future<T> = $future;
                Some(Existing(future(self).erased()))
            }
        }

        impl<T: $($bound)* 'static> Ensure for $type {
            fn ensure(self, _: &EventLoop, _: &'static Location<'static>) -> Result<Ensured<T>> {
                let future: fn(&$type) -> Future<T> = $future;
                let (future, get) = (future(&self), $get);
                Ok(Ensured { future, get })
            }
        }
    )*};
}
handles! {
    Future<T>, [], |future| future.clone(), Option::take;
    Task<T>, [], |task| task.0.clone(), Option::take;
    &Future<T>, [Clone +], |future| (*future).clone(), |value: &mut Option<T>| value.clone();
    &Task<T>, [Clone +], |task| task.0.clone(), |value: &mut Option<T>| value.clone();
}

impl Awaitable for AnyTask {
    type Value = ();

    fn existing(&self) -> Option<Existing> {
        Some(Existing(self.0.clone()))
    }
}

impl Awaitable for &AnyTask {
    type Value = ();

    fn existing(&self) -> Option<Existing> {
        Some(Existing(self.0.clone()))
    }
}

/// The future itself if it is one, else a task of the running loop that runs the coroutine.
///
/// # Panics
/// If no loop runs in this thread and [none is set](crate::set_event_loop).
///
/// Mirrors [`asyncio.ensure_future`](https://docs.python.org/3.14/library/asyncio-future.html#asyncio.ensure_future).
#[track_caller]
pub fn ensure_future<A: Ensure<Value: 'static>>(awaitable: A) -> Future<A::Value> {
    ensured(awaitable, &running::expect()).future
}

/// Makes `awaitable` a future of `event_loop`, which is running and thus open.
#[track_caller]
pub(crate) fn ensured<A: Ensure<Value: 'static>>(
    awaitable: A,
    event_loop: &EventLoop,
) -> Ensured<A::Value> {
    match awaitable.ensure(event_loop, Location::caller()) {
        Ok(ensured) => ensured,
        Err(error) => panic!("{error:?}"),
    }
}
