//! What the tests share.

#[path = "waiting.rs"]
mod waiting;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hilos::threading::{Returning, Thread};

pub(crate) use waiting::{LONG, wait_until};

/// Runs `f` in `count` threads, each with its number, and waits for all; a panic is this thread's.
pub(crate) fn in_threads(count: usize, f: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..count {
            let f = &f;
            scope.spawn(move || f(number));
        }
    });
}

/// Counts threads up and lets others wait for the count.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn wait_for(&self, expected: usize) {
        wait_until("the count to go up", || self.get() >= expected);
        assert_eq!(self.get(), expected);
    }
}

/// Starts a thread that runs `f`.
///
/// Its `join` fails if `f` panicked or did not end; that of a plain `Thread` would not tell.
pub(crate) fn start<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> Returning<R> {
    let thread = Thread::returning(f);
    thread.start().unwrap();
    thread
}

/// Waits until the thread sleeps, as one does that is blocked.
///
/// It has to be found asleep several times in a row, as a short sleep on the way is none.
pub(crate) fn wait_blocked<R>(thread: &Returning<R>) {
    let id = thread.native_id().expect("it runs");
    let asleep = || {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat"));
        stat.is_ok_and(|stat| stat.contains(") S "))
    };
    let stays_asleep = |_| {
        std::thread::sleep(Duration::from_millis(1));
        asleep()
    };
    wait_until("the thread to be blocked", || (0..3).all(stays_asleep));
}

/// Lets `count` threads go on as nearly at once as can be, the `round`th time from 1.
pub(crate) fn meet(arrived: &Count, count: usize, round: usize) {
    arrived.up();
    for spins in 1.. {
        if arrived.get() >= count * round {
            return;
        }
        // Who spins goes on sooner, but must not keep the others from coming.
        match spins % 1000 {
            0 => std::thread::yield_now(),
            _ => std::hint::spin_loop(),
        }
    }
}
