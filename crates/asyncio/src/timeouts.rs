//! `asyncio.timeout` and `asyncio.Timeout`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use hilos_core::time::Timeout as Delay;

use crate::any_task::{AnyTask, current_task};
use crate::events::{Handle, TimerHandle};
use crate::exception::Result;
use crate::exceptions::{RuntimeError, TimeoutError};
use crate::repr::debug_like_display;
use crate::running;
use crate::step::catch_cancel;

/// Runs `body` for at most `delay` seconds; then it is cancelled, and the result is a
/// `TimeoutError`.
///
/// `None` sets no limit. The body is given the [`Timeout`], by which it can move the limit.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let slow = asyncio::timeout(0.001, async |_limit| asyncio::sleep(3600).await);
///     assert!(slow.await.unwrap_err().is_timeout());
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// What the body fails with, where its own cancellation becomes a [`TimeoutError`];
/// [`RuntimeError`] outside a task.
///
/// Mirrors [`asyncio.timeout`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.timeout).
pub async fn timeout<T, D, F>(delay: D, body: F) -> Result<T>
where
    D: Into<Delay>,
    F: AsyncFnOnce(Timeout) -> Result<T>,
{
    let event_loop = running::get().ok_or_else(|| RuntimeError::new("no running event loop"))?;
    let when = delay
        .into()
        .seconds()
        .map(|delay| event_loop.time() + delay);
    Timeout::new(when).run(body).await
}

/// Like [`timeout`], until the loop's [`time`](crate::EventLoop::time) is `when`.
///
/// # Errors
/// As [`timeout`].
///
/// Mirrors [`asyncio.timeout_at`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.timeout_at).
pub async fn timeout_at<T, W, F>(when: W, body: F) -> Result<T>
where
    W: Into<Option<f64>>,
    F: AsyncFnOnce(Timeout) -> Result<T>,
{
    Timeout::new(when).run(body).await
}

/// A limit of time around a part of a coroutine.
///
/// [`timeout`] and [`timeout_at`] make one and hand it to the body. A handle: clones are the same
/// limit.
///
/// Mirrors [`asyncio.Timeout`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.Timeout).
#[derive(Clone)]
pub struct Timeout(Rc<Inner>);

struct Inner {
    state: Cell<State>,
    when: Cell<Option<f64>>,
    timer: RefCell<Option<Timer>>,
    task: RefCell<Option<AnyTask>>,
    /// How many cancellations of the task had been asked for when the body began.
    cancelling: Cell<u32>,
}

enum Timer {
    Soon(Handle),
    Later(TimerHandle),
}

impl Timer {
    fn cancel(&self) {
        match self {
            Self::Soon(handle) => handle.cancel(),
            Self::Later(handle) => handle.cancel(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Created,
    Entered,
    Expiring,
    Expired,
    Exited,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Entered => "active",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Exited => "finished",
        }
    }
}

impl Timeout {
    /// A limit that nothing has entered yet; see [`run`](Self::run).
    pub fn new<W: Into<Option<f64>>>(when: W) -> Self {
        Self(Rc::new(Inner {
            state: Cell::new(State::Created),
            when: Cell::new(when.into()),
            timer: RefCell::default(),
            task: RefCell::default(),
            cancelling: Cell::new(0),
        }))
    }

    /// Runs `body` within the limit, once: Python's `async with`.
    ///
    /// # Errors
    /// As [`timeout`]; [`RuntimeError`] if it was run before.
    pub async fn run<T, F: AsyncFnOnce(Self) -> Result<T>>(&self, body: F) -> Result<T> {
        self.enter()?;
        let exit = Exit(self);
        let result = catch_cancel(body(self.clone())).await;
        std::mem::forget(exit);
        match self.exit(
            result
                .as_ref()
                .err()
                .is_some_and(|error| error.is_cancelled()),
        ) {
            true => Err(TimeoutError::default().into()),
            false => result,
        }
    }

    fn enter(&self) -> Result<()> {
        if self.0.state.get() != State::Created {
            return Err(RuntimeError::new("Timeout has already been entered").into());
        }
        let Some(task) = current_task() else {
            return Err(RuntimeError::new("Timeout should be used inside a task").into());
        };
        self.0.state.set(State::Entered);
        self.0.cancelling.set(task.cancelling());
        self.0.task.replace(Some(task));
        self.reschedule(self.0.when.get())
    }

    /// Ends the limit, and says whether the body's `CancelledError` is its own.
    fn exit(&self, cancelled: bool) -> bool {
        if let Some(timer) = self.0.timer.take() {
            timer.cancel();
        }
        match self.0.state.get() {
            State::Expiring => {
                self.0.state.set(State::Expired);
                let task = self.0.task.take();
                let left = task.map_or(0, |task| task.uncancel());
                left <= self.0.cancelling.get() && cancelled
            }
            _ => {
                self.0.state.set(State::Exited);
                false
            }
        }
    }

    /// When the time is up, in seconds of the loop's [`time`](crate::EventLoop::time).
    pub fn when(&self) -> Option<f64> {
        self.0.when.get()
    }

    /// Moves the limit; `None` removes it.
    ///
    /// # Errors
    /// [`RuntimeError`] unless the body is running and its time is not up.
    pub fn reschedule<W: Into<Option<f64>>>(&self, when: W) -> Result<()> {
        match self.0.state.get() {
            State::Entered => {}
            State::Created => {
                return Err(RuntimeError::new("Timeout has not been entered").into());
            }
            state => {
                let message = format!("Cannot change state of {} Timeout", state.name());
                return Err(RuntimeError::new(message).into());
            }
        }
        let when = when.into();
        self.0.when.set(when);
        if let Some(timer) = self.0.timer.take() {
            timer.cancel();
        }
        let Some(when) = when else { return Ok(()) };
        let event_loop =
            running::get().ok_or_else(|| RuntimeError::new("no running event loop"))?;
        let this = self.clone();
        let on_timeout = move || this.on_timeout();
        let timer = match when <= event_loop.time() {
            true => Timer::Soon(event_loop.call_soon_in(None, on_timeout)?),
            false => Timer::Later(event_loop.call_at_in(None, when, on_timeout)?),
        };
        self.0.timer.replace(Some(timer));
        Ok(())
    }

    /// Whether the time was up before the body had ended.
    pub fn expired(&self) -> bool {
        matches!(self.0.state.get(), State::Expiring | State::Expired)
    }

    fn on_timeout(&self) {
        let task = self.0.task.borrow().clone();
        if let Some(task) = task {
            task.cancel();
        }
        self.0.state.set(State::Expiring);
        self.0.timer.take();
    }
}

/// Ends the limit of a body that is dropped or panics.
struct Exit<'t>(&'t Timeout);

impl Drop for Exit<'_> {
    fn drop(&mut self) {
        self.0.exit(false);
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Timeout [{}]", self.0.state.get().name())?;
        if self.0.state.get() == State::Entered {
            match self.when() {
                Some(when) => write!(f, " when={when:.3}")?,
                None => f.write_str(" when=None")?,
            }
        }
        f.write_str(">")
    }
}

debug_like_display!(Timeout);
