//! Clocks without real time, and a log of what ran.

use std::fmt::Debug;
use std::sync::{Arc, Condvar, Mutex};

use hilos::sched::{Event, Scheduler};

/// A scheduler whose clock begins at 0 and passes only while the scheduler waits.
pub(crate) fn scheduler() -> Scheduler {
    let now = Arc::new(Mutex::new(0.0));
    let timefunc = {
        let now = now.clone();
        move || *now.lock().unwrap()
    };
    Scheduler::with_clock(timefunc, move |delay| {
        assert!(delay >= 0.0);
        *now.lock().unwrap() += delay;
    })
}

/// What the events' functions were called with, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T: Copy + Debug + PartialEq + Send + 'static> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn push(&self, value: T) {
        self.0.lock().unwrap().push(value);
    }

    /// An action that logs `value`.
    pub(crate) fn of(&self, value: T) -> impl FnOnce() + Send + use<T> {
        let log = self.clone();
        move || log.push(value)
    }

    /// Takes what was logged since the last call.
    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Enters an action that logs its own time.
pub(crate) fn enterabs(scheduler: &Scheduler, log: &Log<f64>, time: f64) -> Event {
    scheduler.enterabs(time, 1, log.of(time)).unwrap()
}

/// CPython's `Timer`: a clock that a test lets go on, step by step.
#[derive(Clone, Default)]
pub(crate) struct Timer(Arc<(Mutex<Clock>, Condvar)>);

#[derive(Default)]
struct Clock {
    now: f64,
    /// How far the clock may go.
    stop: f64,
}

impl Timer {
    pub(crate) fn scheduler(&self) -> Scheduler {
        let (timefunc, delayfunc) = (self.clone(), self.clone());
        Scheduler::with_clock(move || timefunc.time(), move |delay| delayfunc.sleep(delay))
    }

    pub(crate) fn time(&self) -> f64 {
        self.0.0.lock().unwrap().now
    }

    fn sleep(&self, delay: f64) {
        assert!(delay >= 0.0);
        let (clock, advanced) = &*self.0;
        let mut clock = clock.lock().unwrap();
        let until = clock.now + delay;
        while clock.stop < until {
            clock.now = clock.stop;
            clock = advanced.wait(clock).unwrap();
        }
        clock.now = until;
    }

    pub(crate) fn advance(&self, time: f64) {
        let (clock, advanced) = &*self.0;
        clock.lock().unwrap().stop += time;
        advanced.notify_all();
    }
}
