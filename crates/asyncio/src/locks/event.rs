//! `asyncio.Event`.

use std::cell::Cell;
use std::fmt;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::exception::Result;
use crate::locks::waiters::{Waiter, Waiters};
use crate::repr::{address, debug_like_display};
use crate::site::{self, WaitsIn};

/// A flag that tasks can wait for.
///
/// A handle: clones are the same event. For threads there is `threading::Event`.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let event = asyncio::Event::new();
///     let waiter = asyncio::create_task(event.wait());
///     event.set();
///     waiter.await
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// Mirrors [`asyncio.Event`](https://docs.python.org/3.14/library/asyncio-sync.html#asyncio.Event).
#[derive(Clone, Default)]
pub struct Event(Rc<Inner>);

#[derive(Default)]
struct Inner {
    value: Cell<bool>,
    waiters: Rc<Waiters>,
}

impl Event {
    /// Creates an event that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.0.value.get()
    }

    /// Sets the event and wakes every task that waits for it, even if it is cleared before they run.
    pub fn set(&self) {
        if !self.0.value.replace(true) {
            self.0.waiters.wake(usize::MAX);
        }
    }

    /// Clears the event: later calls of [`wait`](Self::wait) wait again.
    pub fn clear(&self) {
        self.0.value.set(false);
    }

    /// Waits until the event is set; returns at once if it is.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile; [`RuntimeError`] in another loop
    /// than that of earlier waiters.
    ///
    /// [`RuntimeError`]: crate::RuntimeError
    #[track_caller]
    pub fn wait(&self) -> impl StdFuture<Output = Result<()>> + use<> {
        site::mark(WaitsIn::Event);
        Wait::New(self.clone())
    }
}

/// By hand, because there may be many of these, and an async block would be twice as large.
enum Wait {
    New(Event),
    Waiting(Waiter),
    Done,
}

impl StdFuture for Wait {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if let Self::New(event) = &*self {
            if event.is_set() {
                *self = Self::Done;
                return Poll::Ready(Ok(()));
            }
            let waiter = event.0.waiters.enter(|| event.to_string())?;
            *self = Self::Waiting(waiter);
        }
        let Self::Waiting(waiter) = &mut *self else {
            panic!("a future is not polled after it was ready");
        };
        let result = ready!(Pin::new(waiter).poll(context));
        // It leaves its place among the waiters at once.
        *self = Self::Done;
        Poll::Ready(result)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_set() { "set" } else { "unset" };
        write!(
            f,
            "<asyncio.locks.Event object at {} [{state}",
            address(&*self.0)
        )?;
        describe_waiters(&self.0.waiters, f)
    }
}

/// Ends a repr with the number of waiters.
pub(super) fn describe_waiters(waiters: &Waiters, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match waiters.len() {
        0 => f.write_str("]>"),
        n => write!(f, ", waiters:{n}]>"),
    }
}

debug_like_display!(Event);
