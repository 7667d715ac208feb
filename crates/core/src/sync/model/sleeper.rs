//! A waiting thread, and the time until which it waits.

use std::sync::Arc;
use std::time::Instant;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread::{self, Thread};
use parking_lot::Mutex as Hidden;

loom::lazy_static! {
    static ref ALL: All = All::default();
}

/// What is known of all sleepers together.
#[derive(Default)]
struct All {
    /// Whether every deadline has passed.
    time_is_up: AtomicBool,
    /// Those with a deadline.
    timed: Hidden<Vec<Arc<Sleeper>>>,
    /// How many sleep.
    count: Hidden<usize>,
}

pub(super) fn make() {
    let _made: &All = &ALL;
}

/// Lets the deadlines pass of all threads that wait now and of all that will wait later.
///
/// Each thread notices in its own time, and counts as woken if it is woken before: call this
/// first, and then what shall race the timeout. It orders the caller's memory before theirs, as no
/// clock does, so let the caller do nothing that matters before.
pub fn expire_timeouts() {
    ALL.time_is_up.fetch_or(true, Ordering::Relaxed);
    for sleeper in std::mem::take(&mut *ALL.timed.lock()) {
        sleeper.rouse(|fate| fate.expired = true);
    }
}

/// Whether `moment` has passed.
pub(crate) fn reached(moment: Instant) -> bool {
    // A read-modify-write sees the latest value and, relaxed, orders no other memory.
    ALL.time_is_up.fetch_or(false, Ordering::Relaxed) || moment <= Instant::now()
}

/// Lets the other threads run until `count` of them sleep: a way to be sure that they wait.
///
/// Threads that wait for a lock sleep too, except for a [`Mutex`](super::Mutex).
pub fn wait_for_sleepers(count: usize) {
    while *ALL.count.lock() < count {
        thread::yield_now();
    }
}

/// A waiting thread.
pub(super) struct Sleeper {
    thread: Thread,
    /// Not for loom to see, so never locked during one of its steps.
    fate: Hidden<Fate>,
}

/// Why a thread is awake; it sleeps while neither holds. Both hold when it was woken after its
/// deadline but before it left the queue, and so counts as woken.
#[derive(Clone, Copy)]
struct Fate {
    expired: bool,
    woken: bool,
}

impl Fate {
    fn sleeps(self) -> bool {
        !self.expired && !self.woken
    }
}

impl Sleeper {
    /// The current thread, to sleep until `moment`.
    pub(super) fn until(moment: Option<Instant>) -> Arc<Self> {
        let expired = moment.is_some_and(reached);
        let fate = Fate {
            expired,
            woken: false,
        };
        let sleeper = Arc::new(Self {
            thread: thread::current(),
            fate: Hidden::new(fate),
        });
        if moment.is_some() {
            ALL.timed.lock().push(sleeper.clone());
        }
        sleeper
    }

    pub(super) fn sleep(&self) {
        while self.fate().sleeps() {
            *ALL.count.lock() += 1;
            thread::park();
        }
    }

    pub(super) fn wake(&self) {
        self.rouse(|fate| fate.woken = true);
    }

    pub(super) fn expired(&self) -> bool {
        self.fate().expired
    }

    pub(super) fn woken(&self) -> bool {
        self.fate().woken
    }

    fn rouse(&self, change: impl FnOnce(&mut Fate)) {
        // Once only: loom would keep a second wake-up for the thread's next sleep.
        if self.fate().sleeps() {
            *ALL.count.lock() -= 1;
            self.thread.unpark();
        }
        change(&mut self.fate.lock());
    }

    fn fate(&self) -> Fate {
        *self.fate.lock()
    }
}
