//! One thread that waits for every timer of the process.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hilos_core::process::{AtFork, at_fork};
use hilos_core::time::Deadline;

use crate::Thread;

/// When to try again if the system refused a thread to a timer whose moment has come.
const RETRY: Duration = Duration::from_millis(20);

/// The standard library's primitives, for the reason that the registry has.
static WHEEL: LazyLock<Mutex<Wheel>> = LazyLock::new(|| {
    at_fork::<Fork>();
    Mutex::default()
});
static EARLIER: Condvar = Condvar::new();

#[derive(Default)]
struct Wheel {
    /// The waiting timers by their moment; those of one moment by the order of their starts.
    timers: BTreeMap<(Instant, u64), Thread>,
    /// Whether the waiting thread runs.
    turning: bool,
}

/// The place of a timer that waits.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    /// `None` if the timer waits for ever.
    moment: Option<Instant>,
    /// The thread's number in the registry.
    number: u64,
}

impl Ticket {
    pub(crate) fn number(self) -> u64 {
        self.number
    }
}

fn wheel() -> MutexGuard<'static, Wheel> {
    WHEEL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has `timer` fire at `deadline`.
pub(crate) fn add(timer: Thread, number: u64, deadline: Deadline) -> Ticket {
    let moment = deadline.instant();
    if let Some(moment) = moment {
        insert(moment, number, timer);
    }
    Ticket { moment, number }
}

/// Takes a timer out, if it is still in.
pub(crate) fn remove(ticket: Ticket) {
    let Ticket {
        moment: Some(moment),
        number,
    } = ticket
    else {
        return;
    };
    let timer = wheel().timers.remove(&(moment, number));
    drop(timer);
}

fn insert(moment: Instant, number: u64, timer: Thread) {
    let mut wheel = wheel();
    wheel.timers.insert((moment, number), timer);
    if !wheel.turning {
        wheel.turning = start_turning();
    } else if wheel
        .timers
        .first_key_value()
        .is_some_and(|(key, _)| *key == (moment, number))
    {
        EARLIER.notify_one();
    }
}

/// Starts the waiting thread; without one, the next timer tries again.
fn start_turning() -> bool {
    std::thread::Builder::new()
        .name("hilos-timers".into())
        .spawn(turn)
        .is_ok()
}

/// Fires one timer after the other, each in a thread of its own, and ends when there is none.
fn turn() {
    let mut wheel = wheel();
    while let Some(first) = wheel.timers.first_entry() {
        let (moment, number) = *first.key();
        let wait = moment.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            let timer = first.remove();
            drop(wheel);
            if !timer.fire(number) {
                insert(Instant::now() + RETRY, number, timer);
            }
            wheel = self::wheel();
        } else {
            wheel = EARLIER
                .wait_timeout(wheel, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
    wheel.turning = false;
}

/// Keeps the wheel whole when the process forks: the child has no timers.
struct Fork;

thread_local! {
    /// The wheel, from before a fork until after it.
    static HELD: Cell<Option<MutexGuard<'static, Wheel>>> = const { Cell::new(None) };
}

impl AtFork for Fork {
    fn prepare() {
        HELD.set(Some(wheel()));
    }

    fn parent() {
        HELD.set(None);
    }

    fn child() {
        if let Some(mut wheel) = HELD.take() {
            // Dropping a timer would drop its function, which may wait for a lost thread.
            std::mem::forget(std::mem::take(&mut wheel.timers));
            wheel.turning = false;
        }
    }
}
