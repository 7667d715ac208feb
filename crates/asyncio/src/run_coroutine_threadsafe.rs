//! `asyncio.run_coroutine_threadsafe`.

use std::future::Future as StdFuture;
use std::rc::Rc;

use hilos_core::panic::catch;

use crate::any_future::{AnyRc, Notify};
use crate::awaiting::notify_when_done;
use crate::create_task::create_task;
use crate::exception::{Exception, Result};
use crate::loop_handle::LoopHandle;
use crate::tasks::Task;

/// Has another thread's loop run a coroutine, and returns a future that this thread can block on.
///
/// `make` is called in the loop's thread and makes the coroutine, which thus need not be `Send`.
/// Cancelling the future cancels the task; a timeout of its `result` does not.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let event_loop = asyncio::get_running_loop()?.handle();
///     let answer = asyncio::try_to_thread(move || {
///         let future = asyncio::run_coroutine_threadsafe(|| async { Ok(42) }, &event_loop)?;
///         future.result(None).map_err(asyncio::Exception::from)
///     });
///     assert_eq!(answer.await?, 42);
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// [`RuntimeError`](crate::RuntimeError) if the loop is closed.
///
/// Mirrors [`asyncio.run_coroutine_threadsafe`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.run_coroutine_threadsafe).
pub fn run_coroutine_threadsafe<M, C, T>(
    make: M,
    event_loop: &LoopHandle,
) -> Result<hilos_futures::Future<T>>
where
    M: FnOnce() -> C + Send + 'static,
    C: StdFuture<Output = Result<T>> + 'static,
    T: Send + 'static,
{
    let future = hilos_futures::Future::new();
    let destination = future.clone();
    event_loop.call_soon_threadsafe(move || {
        let task = match catch(|| create_task(make())) {
            Ok(task) => task,
            Err(unwound) => {
                let exception = Exception::of_unwound(unwound);
                complete(&destination, || Err(exception.clone()));
                return Err(exception);
            }
        };
        let cancel = task.get_loop().on_return({
            let (task, destination) = (task.clone(), destination.clone());
            move || {
                if destination.cancelled() {
                    task.cancel();
                }
            }
        });
        destination.add_done_callback(move |_| cancel.redeem());
        let source = task.clone();
        notify_when_done(
            &task.erased(),
            Rc::new(Chain {
                source,
                destination,
            }),
        );
        Ok(())
    })?;
    Ok(future)
}

/// Gives the future of the other thread what the task has.
struct Chain<T: 'static> {
    source: Task<T>,
    destination: hilos_futures::Future<T>,
}

impl<T: Send> Notify for Chain<T> {
    fn notify(self: Rc<Self>, _task: AnyRc) {
        let Self {
            source,
            destination,
        } = &*self;
        if source.cancelled() {
            destination.cancel();
        }
        complete(destination, || source.take_result());
    }
}

/// Gives a future that nobody else completes its result, unless it was cancelled.
fn complete<T: Send>(destination: &hilos_futures::Future<T>, outcome: impl FnOnce() -> Result<T>) {
    if !matches!(destination.set_running_or_notify_cancel(), Ok(true)) {
        return;
    }
    let _ = match outcome() {
        Ok(value) => destination.set_result(value),
        Err(exception) => {
            let name = exception.type_name();
            destination.set_exception(hilos_futures::Exception::new(name, exception))
        }
    };
}
