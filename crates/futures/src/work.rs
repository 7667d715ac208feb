//! A call on its way to a worker.

use hilos_core::panic::{Unwound, catch};
use hilos_threading::Exception;

use crate::future::Future;
use crate::pool::Pool;

/// A call that was submitted, and the future of its result.
pub(crate) trait Work<W>: Send {
    /// Runs the call in a worker of `pool` that works with `with`, unless its future was cancelled.
    fn run(self: Box<Self>, pool: &Pool<W>, with: &mut W);

    /// Cancels the future, and lets those who wait for it know.
    fn cancel(self: Box<Self>);

    /// Fails the future, unless it was cancelled.
    fn fail(self: Box<Self>, exception: Exception);
}

/// Whether the call of a future is to be run.
pub(crate) fn begins<T>(future: &Future<T>) -> bool {
    // An error means that whoever holds the future has meddled with it: there is no call to run.
    matches!(future.set_running_or_notify_cancel(), Ok(true))
}

/// Cancels the future of a call that nobody will run, and lets those who wait for it know.
pub(crate) fn cancel<T>(future: &Future<T>) {
    future.cancel();
    let _ = future.set_running_or_notify_cancel();
}

/// Fails the future of a call that nobody will run, unless it was cancelled.
pub(crate) fn fail<T>(future: &Future<T>, exception: Exception) {
    if begins(future) {
        let _ = future.finish(Err(exception));
    }
}

/// A function that is called once.
pub(crate) struct Call<F, T> {
    pub(crate) function: F,
    pub(crate) future: Future<T>,
}

impl<F, T, W> Work<W> for Call<F, T>
where
    F: FnOnce() -> Result<T, Exception> + Send,
    T: Send,
{
    fn run(self: Box<Self>, _pool: &Pool<W>, _with: &mut W) {
        if !begins(&self.future) {
            return;
        }
        let Self { function, future } = *self;
        // What the function owns is dropped before the future is done.
        let outcome = catch(function).unwrap_or_else(|unwound| Err(uncaught(unwound)));
        // If its holder has completed it meanwhile, the result is nobody's.
        let _ = future.finish(outcome);
    }

    fn cancel(self: Box<Self>) {
        cancel(&self.future);
    }

    fn fail(self: Box<Self>, exception: Exception) {
        fail(&self.future, exception);
    }
}

/// How a call failed that did not return.
fn uncaught(unwound: Unwound) -> Exception {
    match unwound {
        Unwound::Panic(panic) => panic.into(),
        Unwound::Exit => Exception::new("SystemExit", "the call left its thread and has no result"),
    }
}
