//! `asyncio.sleep`.

use std::future::Future as StdFuture;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hilos_core::time::Timeout;

use crate::awaiting::Await;
use crate::events::TimerHandle;
use crate::exception::Result;
use crate::exceptions::{RuntimeError, ValueError};
use crate::running;
use crate::step::Yield;

/// Waits for `delay` seconds; 0 or less only lets everything run that is ready.
///
/// The time counts from when it is awaited. Whatever the delay, other tasks run.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     asyncio::sleep(0.01).await?;
///     assert_eq!(asyncio::sleep(0.01).with_result("hello").await?, "hello");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// [`ValueError`] if `delay` is NaN; the `CancelledError` of a task that is cancelled meanwhile.
///
/// Mirrors [`asyncio.sleep`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.sleep).
pub fn sleep<D: Into<Timeout>>(delay: D) -> Sleep {
    Sleep {
        delay: delay.into().seconds().unwrap_or(f64::INFINITY),
        result: Some(()),
        state: State::New,
    }
}

/// What [`sleep`] waits with.
#[must_use = "nothing waits unless it is awaited"]
pub struct Sleep<T: 'static = ()> {
    delay: f64,
    result: Option<T>,
    state: State,
}

enum State {
    New,
    Yielding(Yield),
    Waiting(Await<()>, TimerHandle),
}

impl Sleep {
    /// Has the await return `result`; for a sleep that has not begun.
    pub fn with_result<T>(self, result: T) -> Sleep<T> {
        Sleep {
            delay: self.delay,
            result: Some(result),
            state: State::New,
        }
    }
}

impl State {
    fn start(delay: f64) -> Result<Self> {
        if delay.is_nan() {
            return Err(ValueError::new("Invalid delay: NaN (not a number)").into());
        }
        let event_loop =
            running::get().ok_or_else(|| RuntimeError::new("no running event loop"))?;
        let future = event_loop.create_future();
        let sleeper = future.clone();
        let wake = move || {
            // It may have been cancelled.
            let _ = sleeper.set_result(());
        };
        let timer = event_loop.call_at_in(None, event_loop.time() + delay, wake)?;
        Ok(Self::Waiting(future.into_future(), timer))
    }
}

impl<T> StdFuture for Sleep<T> {
    type Output = Result<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        if let State::New = this.state {
            this.state = match this.delay <= 0.0 {
                true => State::Yielding(Yield::default()),
                false => State::start(this.delay)?,
            };
        }
        match &mut this.state {
            State::New => {}
            State::Yielding(yielding) => ready!(Pin::new(yielding).poll(context))?,
            State::Waiting(future, timer) => {
                let result = ready!(Pin::new(future).poll(context));
                timer.cancel();
                result?;
            }
        }
        let result = this.result.take();
        Poll::Ready(Ok(
            result.expect("a future is not polled after it was ready")
        ))
    }
}

impl<T> Drop for Sleep<T> {
    fn drop(&mut self) {
        if let State::Waiting(_, timer) = &self.state {
            timer.cancel();
        }
    }
}

impl<T> Unpin for Sleep<T> {}
