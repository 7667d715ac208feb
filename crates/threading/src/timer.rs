//! `threading.Timer`.

use std::fmt;
use std::ops::Deref;

use hilos_core::time::Timeout;

use crate::Thread;
use crate::name::Name;
use crate::outcome::Outcome;
use crate::repr::debug_like_display;
use crate::settings::thread_settings;

/// A thread that calls a function after a time, unless it is cancelled before.
///
/// Use it for what shall happen later, once. It is a [`Thread`]: it has a name, can be joined and
/// be a daemon, and while it waits the program does not end.
///
/// A timer that waits costs a few hundred bytes: one thread waits for all of them, and each
/// function runs in a thread of its own when its moment has come.
///
/// ```
/// use hilos_threading as threading;
/// use threading::Timer;
///
/// let timer = Timer::new(0.01, || println!("now"));
/// timer.start()?;
/// timer.join(None)?;
///
/// let never = Timer::new(3600, || unreachable!());
/// never.start()?;
/// never.cancel();
/// never.join(None)?;
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - Arguments travel in the closure.
/// - It has no [`ident`](Thread::ident) before its function begins, because it has no thread of
///   the system until then. If the system refuses one at that moment, it tries again.
///
/// Mirrors [`threading.Timer`](https://docs.python.org/3.14/library/threading.html#threading.Timer).
#[derive(Clone)]
pub struct Timer {
    thread: Thread,
    interval: Timeout,
}

impl Timer {
    /// Creates a timer that will call `function` when `interval` seconds have passed since its
    /// [`start`](Thread::start).
    ///
    /// A negative interval has passed at once, as in Python; `None` waits until it is cancelled.
    pub fn new<T, F, R>(interval: T, function: F) -> Self
    where
        T: Into<Timeout>,
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        let interval = interval.into();
        let job = Box::new(move || function().into_exception());
        let thread = Thread::with_job("Timer", Name::numbered(), job, Some(interval));
        Self { thread, interval }
    }

    thread_settings!();

    /// Stops the timer, if its function has not begun.
    ///
    /// A timer that waits ends at once; one that was not started calls nothing when it is.
    pub fn cancel(&self) {
        self.thread.cancel_delay();
    }

    /// How long the timer waits.
    pub fn interval(&self) -> Timeout {
        self.interval
    }

    /// Whether the function has returned or the timer was cancelled.
    pub fn finished(&self) -> bool {
        self.thread.is_finished()
    }
}

impl Deref for Timer {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.thread.fmt(f)
    }
}

debug_like_display!(Timer);
