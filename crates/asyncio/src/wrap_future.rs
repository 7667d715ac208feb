//! `asyncio.wrap_future`: a future of `concurrent.futures`, for coroutines.

use std::rc::Rc;

use hilos_core::time::Timeout;
use hilos_futures::FutureError;

use crate::any_future::{AnyRc, Notify};
use crate::awaiting::notify_when_done;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::{CancelledError, TimeoutError};
use crate::futures::Future;
use crate::running;

/// A future of the running loop that gets the result of one of `concurrent.futures`.
///
/// It takes the result out of that one. Cancelling it cancels that one too, if its call has not
/// begun.
///
/// ```
/// use hilos_asyncio as asyncio;
/// use hilos_futures::ThreadPoolExecutor;
///
/// let executor = ThreadPoolExecutor::new(1)?;
/// let call = executor.submit(|| 6 * 7)?;
/// let answer = asyncio::run(async move { asyncio::wrap_future(&call).await })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Panics
/// If no loop runs in this thread and [none is set](crate::set_event_loop).
///
/// Mirrors [`asyncio.wrap_future`](https://docs.python.org/3.14/library/asyncio-future.html#asyncio.wrap_future).
#[track_caller]
pub fn wrap_future<T: Send + 'static>(future: &hilos_futures::Future<T>) -> Future<T> {
    running::expect().wrap_future(future)
}

impl EventLoop {
    /// As [`wrap_future`], a future of this loop.
    pub fn wrap_future<T: Send + 'static>(&self, future: &hilos_futures::Future<T>) -> Future<T> {
        let destination = self.create_future();
        notify_when_done(&destination.erased(), Rc::new(Canceller(future.clone())));
        let ticket = self.on_return({
            let (future, destination) = (future.clone(), destination.clone());
            move || copy_state(&future, &destination)
        });
        future.add_done_callback(move |_| ticket.redeem());
        destination
    }
}

/// Gives `destination` what `source` has, which is done.
fn copy_state<T>(source: &hilos_futures::Future<T>, destination: &Future<T>)
where
    T: Send + 'static,
{
    if destination.cancelled() {
        return;
    }
    // Only this completes it, once.
    let _: Result<()> = match source.result(Timeout::ZERO) {
        Ok(value) => destination.set_result(value),
        Err(FutureError::Cancelled(_)) => {
            destination.cancel();
            Ok(())
        }
        Err(error) => destination.set_exception(exception(error)),
    };
}

/// What `concurrent.futures` fails with, under the names of asyncio.
pub(crate) fn exception(error: FutureError) -> Exception {
    match error {
        FutureError::Failed(exception) => Exception::of_thread(exception),
        FutureError::Cancelled(_) => CancelledError::default().into(),
        FutureError::Timeout(_) => TimeoutError::default().into(),
        error => error.into(),
    }
}

/// Cancels the call when the future of the loop is cancelled.
struct Canceller<T>(hilos_futures::Future<T>);

impl<T: 'static> Notify for Canceller<T> {
    fn notify(self: Rc<Self>, destination: AnyRc) {
        if destination.head().cancelled() {
            self.0.cancel();
        }
    }
}
