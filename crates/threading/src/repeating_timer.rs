//! A timer that goes on.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use hilos_core::time::Timeout;

use crate::name::Name;
use crate::outcome::Outcome;
use crate::repr::debug_like_display;
use crate::settings::thread_settings;
use crate::{Event, Thread};

/// A thread that calls a function again and again until it is cancelled.
///
/// Use it for what shall happen every so often. The interval is counted from the end of one call
/// to the beginning of the next, so that calls never overlap. The function is given the timer and
/// may cancel it from inside. A panic in it, or an `Err`, ends the timer and goes to
/// [`excepthook`](fn@crate::excepthook).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use hilos_threading as threading;
/// use threading::RepeatingTimer;
///
/// let calls = Arc::new(AtomicU32::new(0));
/// let counter = calls.clone();
/// let timer = RepeatingTimer::new(0, 0.001, move |timer| {
///     if counter.fetch_add(1, Ordering::Relaxed) + 1 == 10 {
///         timer.cancel();
///     }
/// });
/// timer.start()?;
/// timer.join(None)?;
/// assert_eq!(calls.load(Ordering::Relaxed), 10);
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// Python has no such class; its users write one.
#[derive(Clone)]
pub struct RepeatingTimer {
    thread: Thread,
    stop: Stop,
}

/// What the function of a [`RepeatingTimer`] is given to stop it with.
#[derive(Clone)]
pub struct Stop(Arc<Event>);

impl Stop {
    /// Stops the timer; a call that is under way is its last.
    pub fn cancel(&self) {
        self.0.set();
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.0.is_set()).finish()
    }
}

impl RepeatingTimer {
    /// Creates a timer that will call `function` first when `initial` seconds have passed since
    /// its [`start`](Thread::start), and then every `interval` seconds.
    pub fn new<I, T, F, R>(initial: I, interval: T, mut function: F) -> Self
    where
        I: Into<Timeout>,
        T: Into<Timeout>,
        F: FnMut(&Stop) -> R + Send + 'static,
        R: Outcome,
    {
        let (initial, interval) = (initial.into(), interval.into());
        let stop = Stop(Arc::new(Event::new()));
        let told = stop.clone();
        let job = Box::new(move || {
            let mut pause = initial;
            while !told.0.wait(pause) {
                if let Some(exception) = function(&told).into_exception() {
                    return Some(exception);
                }
                pause = interval;
            }
            None
        });
        let thread = Thread::with_job("RepeatingTimer", Name::numbered(), job, None);
        Self { thread, stop }
    }

    thread_settings!();

    /// Stops the timer; a call that is under way is its last.
    pub fn cancel(&self) {
        self.stop.cancel();
    }
}

impl Deref for RepeatingTimer {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}

impl fmt::Display for RepeatingTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.thread.fmt(f)
    }
}

debug_like_display!(RepeatingTimer);
