//! `asyncio.sleep`.

use std::any::TypeId;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as Poller, Poll, ready};

use hilos_core::contextvars::Context;
use hilos_core::time::Timeout;

use crate::awaiting::Await;
use crate::base_events::EventLoop;
use crate::core::{Core, Plain};
use crate::events::{self, Head, Scheduled};
use crate::exception::Result;
use crate::exceptions::{RuntimeError, ValueError};
use crate::futures::Future;
use crate::ready::Ready;
use crate::running;
use crate::site::{self, WaitsIn};
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
#[track_caller]
pub fn sleep<D: Into<Timeout>>(delay: D) -> Sleep {
    site::mark(WaitsIn::Sleep);
    Sleep {
        delay: delay.into().seconds().unwrap_or(f64::INFINITY),
        result: Some(()),
        yielding: Yield::default(),
        waiting: None,
    }
}

/// What [`sleep`] waits with.
#[must_use = "nothing waits unless it is awaited"]
pub struct Sleep<T: 'static = ()> {
    delay: f64,
    result: Option<T>,
    /// What a sleep of 0 does.
    yielding: Yield,
    /// What any other one does, once it has begun.
    waiting: Option<Waiting>,
}

struct Waiting {
    woken: Await<()>,
    sleeper: Rc<Sleeper>,
}

/// The future that a sleep waits for, and the timer that completes it, in one allocation.
type Sleeper = Plain<(), Head>;

impl Ready for Sleeper {
    fn run(self: Rc<Self>, _event_loop: &EventLoop) {
        if !self.0.head.done() {
            self.0.succeed(&self, ());
        }
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        (self as &dyn Scheduled).to_string()
    }
}

impl Scheduled for Sleeper {
    fn head(&self) -> &Head {
        &self.1
    }

    fn event_loop(&self) -> &EventLoop {
        &self.0.head.event_loop
    }

    fn context(&self) -> Option<&Context> {
        None
    }

    fn name(&self) -> &'static str {
        "futures::set_result_unless_cancelled"
    }

    fn callback(&self) -> Option<TypeId> {
        None
    }

    fn clear(&self) {}
}

impl Sleep {
    /// Has the await return `result`; for a sleep that has not begun.
    pub fn with_result<T>(self, result: T) -> Sleep<T> {
        Sleep {
            delay: self.delay,
            result: Some(result),
            yielding: Yield::default(),
            waiting: None,
        }
    }
}

impl Waiting {
    fn start(delay: f64) -> Result<Self> {
        if delay.is_nan() {
            return Err(ValueError::new("Invalid delay: NaN (not a number)").into());
        }
        let event_loop =
            running::get().ok_or_else(|| RuntimeError::new("no running event loop"))?;
        let head = Head::new(Some(event_loop.time() + delay));
        let sleeper: Rc<Sleeper> = Rc::new(Plain(Core::new(event_loop.clone()), head));
        event_loop.push_timer(sleeper.clone());
        let woken = Future(sleeper.clone()).waiting();
        Ok(Self { woken, sleeper })
    }
}

impl<T> Sleep<T> {
    fn wait(&mut self, context: &mut Poller<'_>) -> Poll<Result<()>> {
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            None => self.waiting.insert(Waiting::start(self.delay)?),
        };
        let woken = ready!(Pin::new(&mut waiting.woken).poll(context));
        events::cancel(&*waiting.sleeper);
        Poll::Ready(woken)
    }
}

impl<T> StdFuture for Sleep<T> {
    type Output = Result<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Poller<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        match this.delay <= 0.0 {
            true => ready!(Pin::new(&mut this.yielding).poll(context))?,
            false => ready!(this.wait(context))?,
        }
        let result = this.result.take();
        Poll::Ready(Ok(
            result.expect("a future is not polled after it was ready")
        ))
    }
}

impl<T> Drop for Sleep<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            events::cancel(&*waiting.sleeper);
        }
    }
}

impl<T> Unpin for Sleep<T> {}
