//! parking_lot's `Condvar`.

use std::time::Instant;

use super::mutex::MutexGuard;
use super::queue::Queue;
use crate::park::Parked;

/// A thread lets go of a [`Mutex`](super::Mutex) and waits until another notifies it.
#[derive(Default)]
pub struct Condvar(Queue);

/// Whether the deadline ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the deadline ended the wait.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// Creates a condition variable that nobody waits for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Unlocks the mutex, blocks until notified, and locks it again.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_to(guard, None);
    }

    /// Like [`wait`](Self::wait), or until `moment` has passed.
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        moment: Instant,
    ) -> WaitTimeoutResult {
        self.wait_to(guard, Some(moment))
    }

    /// Wakes the thread that has waited longest; `false` if there is none.
    pub fn notify_one(&self) -> bool {
        self.0.wake(1, |_| {}) == 1
    }

    /// Wakes every thread that waits, and returns how many they were.
    pub fn notify_all(&self) -> usize {
        self.0.wake(usize::MAX, |_| {})
    }

    fn wait_to<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        moment: Option<Instant>,
    ) -> WaitTimeoutResult {
        let unlock = || guard.unlock();
        let parked = self.0.sleep(|| true, unlock, moment, |_was_last| {});
        guard.lock_again();
        WaitTimeoutResult(parked == Parked::TimedOut)
    }
}
