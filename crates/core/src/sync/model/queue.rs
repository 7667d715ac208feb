//! A queue of waiting threads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use loom::sync::{Mutex, MutexGuard};

use super::sleeper::Sleeper;
use crate::park::Parked;

/// The threads that wait for one thing, the longest waiting first.
#[derive(Default)]
pub(super) struct Queue {
    sleepers: Mutex<VecDeque<Arc<Sleeper>>>,
}

impl Queue {
    /// Waits in the queue if `validate` allows it.
    ///
    /// `before_sleep` is one step with the entry. If `moment` passes, `timed_out` is one step with
    /// the exit, and hears whether the queue is empty then.
    pub(super) fn sleep(
        &self,
        validate: impl FnOnce() -> bool,
        before_sleep: impl FnOnce(),
        moment: Option<Instant>,
        timed_out: impl FnOnce(bool),
    ) -> Parked {
        let mut sleepers = self.lock();
        if !validate() {
            return Parked::Changed;
        }
        // Asking for the time is loom's last step before the sleep, so whoever lets the time pass
        // comes before it or finds the thread asleep.
        let sleeper = Sleeper::until(moment);
        sleepers.push_back(sleeper.clone());
        before_sleep();
        drop(sleepers);
        sleeper.sleep();

        if !sleeper.expired() {
            return Parked::Woken;
        }
        let mut sleepers = self.lock();
        if sleeper.woken() {
            return Parked::Woken;
        }
        sleepers.retain(|other| !Arc::ptr_eq(other, &sleeper));
        timed_out(sleepers.is_empty());
        Parked::TimedOut
    }

    /// Wakes up to `count` threads and returns how many they were.
    ///
    /// `callback` is one step with it, and hears whether the queue is empty then.
    pub(super) fn wake(&self, count: usize, callback: impl FnOnce(bool)) -> usize {
        let mut sleepers = self.lock();
        let count = count.min(sleepers.len());
        let woken: Vec<_> = sleepers.drain(..count).collect();
        callback(sleepers.is_empty());
        woken.iter().for_each(|sleeper| sleeper.wake());
        count
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Sleeper>>> {
        self.sleepers.lock().expect("no panic is caught in a model")
    }
}
