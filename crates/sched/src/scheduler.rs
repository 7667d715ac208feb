//! `sched.scheduler`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hilos_threading::Mutex;

use crate::error::ValueError;
use crate::event::Event;

/// Runs functions at their times, one after the other, in the thread that calls
/// [`run`](Self::run).
///
/// Use it to replay a timetable, or where several timed things must not run at once; for one
/// function later in a thread of its own there is `threading::Timer`. A handle: clones are the
/// same scheduler, and every method may be called by any thread at any time, also by the functions
/// that it runs.
///
/// ```
/// use std::sync::mpsc;
/// use hilos_sched as sched;
/// use sched::Scheduler;
///
/// let scheduler = Scheduler::new();
/// let (sender, log) = mpsc::channel();
/// for (time, priority, text) in [(0.01, 2, "third"), (0.01, 1, "second"), (0.0, 9, "first")] {
///     let sender = sender.clone();
///     scheduler.enterabs(time, priority, move || sender.send(text).unwrap())?;
/// }
/// scheduler.run(true);
/// assert_eq!(log.try_iter().collect::<Vec<_>>(), ["first", "second", "third"]);
/// # Ok::<(), sched::ValueError>(())
/// ```
///
/// # Differences from Python
/// - Arguments travel in the closure.
/// - Times are `f64` and priorities `i64`, where Python takes whatever compares.
///
/// Mirrors [`sched.scheduler`](https://docs.python.org/3.14/library/sched.html#sched.scheduler).
#[derive(Clone)]
pub struct Scheduler {
    shared: Arc<Shared>,
}

struct Shared {
    id: u64,
    timefunc: Box<dyn Fn() -> f64 + Send + Sync>,
    delayfunc: Box<dyn Fn(f64) + Send + Sync>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    events: BTreeMap<Event, Action>,
    entered: u64,
}

type Action = Box<dyn FnOnce() + Send>;

impl Scheduler {
    /// Creates a scheduler on the system's steady clock, in seconds since this call.
    pub fn new() -> Self {
        let start = Instant::now();
        let delay = |seconds: f64| match Duration::try_from_secs_f64(seconds) {
            Ok(Duration::ZERO) => thread::yield_now(),
            Ok(duration) => thread::sleep(duration),
            // Longer than any clock runs.
            Err(_) => thread::sleep(Duration::MAX),
        };
        Self::with_clock(move || start.elapsed().as_secs_f64(), delay)
    }

    /// Creates a scheduler on a clock of the caller's: `timefunc` tells the time, `delayfunc`
    /// waits, both in the same unit.
    ///
    /// `delayfunc` is also called with 0 after each function, to let other threads run.
    pub fn with_clock<T, D>(timefunc: T, delayfunc: D) -> Self
    where
        T: Fn() -> f64 + Send + Sync + 'static,
        D: Fn(f64) + Send + Sync + 'static,
    {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (timefunc, delayfunc) = (Box::new(timefunc), Box::new(delayfunc));
        let shared = Shared {
            id,
            timefunc,
            delayfunc,
            queue: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Has `action` called at `time`; of several at one time, that with the lowest `priority`
    /// first, and of those the one that was entered first.
    ///
    /// # Errors
    /// [`ValueError`] if `time` is NaN.
    pub fn enterabs<F>(&self, time: f64, priority: i64, action: F) -> Result<Event, ValueError>
    where
        F: FnOnce() + Send + 'static,
    {
        if time.is_nan() {
            return Err(ValueError::NotANumber);
        }
        // To Python the zeros are one time; an event would order -0.0 before 0.0.
        let time = time + 0.0;
        let mut queue = self.shared.queue.lock();
        let event = Event {
            time,
            priority,
            sequence: queue.entered,
            scheduler: self.shared.id,
        };
        queue.entered += 1;
        queue.events.insert(event, Box::new(action));
        Ok(event)
    }

    /// Has `action` called in `delay`; otherwise as [`enterabs`](Self::enterabs).
    ///
    /// # Errors
    /// [`ValueError`] if `delay` is NaN.
    pub fn enter<F>(&self, delay: f64, priority: i64, action: F) -> Result<Event, ValueError>
    where
        F: FnOnce() + Send + 'static,
    {
        self.enterabs((self.shared.timefunc)() + delay, priority, action)
    }

    /// Takes an event out of the queue: its function will not be called.
    ///
    /// # Errors
    /// [`ValueError`] if it is not in the queue.
    pub fn cancel(&self, event: Event) -> Result<(), ValueError> {
        let action = self.shared.queue.lock().events.remove(&event);
        action.map(drop).ok_or(ValueError::NotInQueue)
    }

    /// Whether there are no events.
    pub fn empty(&self) -> bool {
        self.shared.queue.lock().events.is_empty()
    }

    /// The events in the order in which they will run.
    pub fn queue(&self) -> Vec<Event> {
        self.shared.queue.lock().events.keys().copied().collect()
    }

    /// Runs the events until there are none; returns `None` then.
    ///
    /// If not `blocking`, it runs those that are due and returns how long it is to the next.
    /// Events that come late are run late, never left out.
    ///
    /// # Blocking
    /// In the delay function, and as long as the events' functions take.
    ///
    /// # Panics
    /// If an event's function does; the event is out of the queue, the others stay in.
    pub fn run(&self, blocking: bool) -> Option<f64> {
        loop {
            let wait = match self.take_due()? {
                Due::Now(action) => {
                    action();
                    0.0
                }
                Due::In(wait) if blocking => wait,
                Due::In(wait) => return Some(wait),
            };
            (self.shared.delayfunc)(wait);
        }
    }

    fn take_due(&self) -> Option<Due> {
        if self.empty() {
            return None;
        }
        // Read without the lock: the caller's clock may use the scheduler.
        let now = (self.shared.timefunc)();
        let mut queue = self.shared.queue.lock();
        let first = queue.events.first_entry()?;
        let time = first.key().time;
        Some(if time > now {
            Due::In(time - now)
        } else {
            Due::Now(first.remove())
        })
    }
}

/// What the first event wants.
enum Due {
    Now(Action),
    In(f64),
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("queue", &self.queue())
            .finish()
    }
}
