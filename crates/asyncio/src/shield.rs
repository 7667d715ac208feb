//! `asyncio.shield`.

use std::rc::Rc;

use crate::any_future::{AnyRc, Notify, same};
use crate::awaitable::{Ensure, Ensured, ensured};
use crate::awaiting::notify_when_done;
use crate::exception::Result;
use crate::futures::Future;
use crate::handler::ExceptionContext;
use crate::running;
use crate::wait::remove_notify;

/// Protects an awaitable from the cancellation of whoever waits for it.
///
/// If the waiting task is cancelled, it gets its `CancelledError`, and the task in `awaitable`
/// runs on. If that is cancelled by other means, so is the shield. A coroutine becomes a task at
/// once.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let work = asyncio::create_task(asyncio::sleep(0.001).with_result("done"));
///     let shielded = asyncio::shield(&work);
///     let waiting = asyncio::create_task(async move { shielded.await });
///     asyncio::sleep(0).await?;
///     waiting.cancel();
///     assert!(waiting.await.unwrap_err().is_cancelled());
///     assert_eq!(work.await?, "done");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Panics
/// If no loop runs in this thread and [none is set](crate::set_event_loop).
///
/// Mirrors [`asyncio.shield`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.shield).
#[track_caller]
pub fn shield<A: Ensure<Value: 'static>>(awaitable: A) -> Future<A::Value> {
    let inner = ensured(awaitable, &running::expect());
    if inner.future.cancelled() || inner.future.0.failure().is_some() {
        // There is nothing to protect, and no value that the caller's handle should keep.
        return inner.future;
    }
    let outer = inner.future.get_loop().create_future();
    let shield = Rc::new(Shield {
        inner,
        outer: outer.clone(),
    });
    if shield.inner.future.done() {
        shield.inner_is_done();
        return outer;
    }
    notify_when_done(&shield.inner.future.erased(), shield.clone());
    notify_when_done(&outer.erased(), shield);
    outer
}

struct Shield<T: 'static> {
    inner: Ensured<T>,
    outer: Future<T>,
}

impl<T> Shield<T> {
    fn inner_is_done(&self) {
        if self.outer.cancelled() {
            return;
        }
        if self.inner.future.cancelled() {
            self.outer.cancel();
            return;
        }
        // The outer future is pending: only this and a cancellation complete it.
        let _: Result<()> = match self.inner.result() {
            Ok(value) => self.outer.set_result(value),
            Err(exception) => self.outer.set_exception(exception),
        };
    }

    fn outer_is_done(self: &Rc<Self>) {
        let inner = &self.inner.future;
        if inner.done() {
            return;
        }
        let inner = inner.erased();
        remove_notify(&inner, &(self.clone() as Rc<dyn Notify>));
        // However many shields of it were cancelled, its exception is told once.
        let log = LOG.with(Rc::clone);
        remove_notify(&inner, &log);
        notify_when_done(&inner, log);
    }
}

impl<T> Notify for Shield<T> {
    fn notify(self: Rc<Self>, future: AnyRc) {
        match same(&future, &self.outer.erased()) {
            true => self.outer_is_done(),
            false => self.inner_is_done(),
        }
    }

    fn waits_for(self: Rc<Self>) -> Option<AnyRc> {
        Some(self.outer.erased())
    }
}

/// Tells of the exception of a future whose shield was cancelled.
struct Log;

thread_local! {
    static LOG: Rc<dyn Notify> = Rc::new(Log);
}

impl Notify for Log {
    fn notify(self: Rc<Self>, future: AnyRc) {
        if future.head().cancelled() {
            return;
        }
        future.head().unseen.set(false);
        if let Some(exception) = future.failure() {
            let message = format!("{} exception in shielded future", exception.type_name());
            let context = ExceptionContext::new(message).with_exception(exception);
            let context = context.with_future(future.repr());
            let context = context.in_context_of(future.task());
            future.head().event_loop.report(context);
        }
    }
}
