//! What `wait` and `as_completed` block on.

use std::collections::VecDeque;

use hilos_core::sync::{Condvar, Mutex, MutexGuard};
use hilos_core::time::Deadline;

/// Collects the futures that are done, for one thread that waits for enough of them.
///
/// Told by a future under that future's lock, so never the other way round.
pub(crate) struct Waiter {
    /// How many futures are enough.
    wanted: usize,
    /// Whether one that failed is enough.
    stop_on_exception: bool,
    arrivals: Mutex<Arrivals>,
    /// Told when there are enough.
    enough: Condvar,
}

/// What has come in.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// The numbers of the futures, in the order in which they were done.
    pub(crate) done: VecDeque<usize>,
    /// Whether one of them failed.
    failed: bool,
}

impl Waiter {
    pub(crate) fn new(wanted: usize, stop_on_exception: bool) -> Self {
        Self {
            wanted,
            stop_on_exception,
            arrivals: Mutex::default(),
            enough: Condvar::new(),
        }
    }

    /// Notes that a future is done.
    pub(crate) fn tell(&self, number: usize, failed: bool) {
        let mut arrivals = self.arrivals.lock();
        arrivals.done.push_back(number);
        arrivals.failed |= failed;
        if self.is_enough(&arrivals) {
            self.enough.notify_one();
        }
    }

    /// Blocks until there are enough futures or `deadline` has passed; hands over what there is.
    pub(crate) fn wait(&self, deadline: Deadline) -> MutexGuard<'_, Arrivals> {
        let mut arrivals = self.arrivals.lock();
        while !self.is_enough(&arrivals) && !deadline.is_past() {
            match deadline.instant() {
                None => self.enough.wait(&mut arrivals),
                Some(moment) => {
                    if self.enough.wait_until(&mut arrivals, moment).timed_out() {
                        break;
                    }
                }
            }
        }
        arrivals
    }

    fn is_enough(&self, arrivals: &Arrivals) -> bool {
        arrivals.done.len() >= self.wanted || self.stop_on_exception && arrivals.failed
    }
}
