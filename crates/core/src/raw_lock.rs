//! The one-word lock under every hilos lock, and [`Mutex`] around data.

#[cfg(not(loom))]
use std::time::{Duration, Instant};

use crate::const_fn;
use crate::deadlock::Holder;
use crate::park::{PARKED, Parked, park, unpark};
use crate::sync::SpinWait;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::time::Deadline;

/// The bit that is set while a thread holds the lock.
const LOCKED: usize = 2;

/// Mutual exclusion in one word: no data, no owner, released by whoever likes.
///
/// It is parking_lot's algorithm with one difference: a release swaps the word for 0, and so
/// notices in the same atomic step that the lock was not held, whoever else is at it.
#[derive(Debug)]
pub struct OneWordLock {
    /// [`LOCKED`] and [`PARKED`], in any combination.
    state: AtomicUsize,
    /// Who holds the lock, if anybody asked to know.
    holder: Holder,
}

impl OneWordLock {
    const_fn! {
        /// Creates a lock that nobody holds.
        pub const fn new() -> Self {
            Self { state: AtomicUsize::new(0), holder: Holder::new() }
        }
    }

    /// Names the lock in the reports of the deadlock detector.
    pub const fn set_name(&mut self, name: &'static str) {
        self.holder.set_name(name);
    }

    /// Acquires the lock if that needs no waiting.
    #[inline]
    #[track_caller]
    pub fn try_acquire(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & LOCKED == 0 {
            match self.state.compare_exchange_weak(
                state,
                state | LOCKED,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    self.holder.acquired();
                    return true;
                }
                Err(current) => state = current,
            }
        }
        false
    }

    /// Blocks until the lock is acquired.
    #[inline]
    #[track_caller]
    pub fn acquire(&self) {
        if !self.acquire_fast() {
            self.acquire_slow(Deadline::NEVER);
        }
        self.holder.acquired();
    }

    /// Acquires the lock, or returns `false` when `deadline` has passed.
    #[inline]
    #[track_caller]
    pub fn acquire_until(&self, deadline: Deadline) -> bool {
        let acquired = self.acquire_fast() || self.acquire_slow(deadline);
        if acquired {
            self.holder.acquired();
        }
        acquired
    }

    /// Releases the lock; `false` if nobody held it.
    #[inline]
    #[must_use]
    pub fn release(&self) -> bool {
        self.holder.released();
        // Also takes PARKED away, until `release_slow` has `unpark` put it right; a thread that
        // finds the lock free and without PARKED in between has nobody to wake.
        let state = self.state.swap(0, Ordering::Release);
        state == LOCKED || self.release_slow(state)
    }

    /// Whether any thread holds the lock.
    #[inline]
    pub fn locked(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOCKED != 0
    }

    #[inline]
    fn acquire_fast(&self) -> bool {
        self.state
            .compare_exchange_weak(0, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    #[cold]
    #[track_caller]
    fn acquire_slow(&self, deadline: Deadline) -> bool {
        let _waiting = self.holder.waiting(deadline);
        let mut spin = SpinWait::new();
        loop {
            let state = self.state.load(Ordering::Relaxed);
            if state & LOCKED == 0 {
                // A running thread may overtake the queue: a lock that is handed over in turn
                // costs two context switches each time.
                if self.exchange(state, state | LOCKED, Ordering::Acquire) {
                    return true;
                }
            } else if deadline.is_past() {
                return false;
            } else if state & PARKED == 0 {
                if !spin.spin() {
                    self.exchange(state, state | PARKED, Ordering::Relaxed);
                }
            } else {
                match park(&self.state, LOCKED | PARKED, deadline) {
                    Parked::TimedOut => return self.try_acquire_last(),
                    Parked::Woken => spin.reset(),
                    Parked::Changed => {}
                }
            }
        }
    }

    /// A last look after the deadline: the lock may have become free while the thread woke up.
    fn try_acquire_last(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        state & LOCKED == 0 && self.exchange(state, state | LOCKED, Ordering::Acquire)
    }

    /// Does what is left to do after a release that found `state`.
    ///
    /// Whoever took PARKED away must wake a thread, also if the lock was not held: nobody else
    /// will until PARKED is back.
    #[cold]
    fn release_slow(&self, state: usize) -> bool {
        if state & PARKED != 0 {
            unpark(&self.state, 1);
        }
        state & LOCKED != 0
    }

    fn exchange(&self, current: usize, new: usize, success: Ordering) -> bool {
        self.state
            .compare_exchange_weak(current, new, success, Ordering::Relaxed)
            .is_ok()
    }
}

impl Default for OneWordLock {
    fn default() -> Self {
        Self::new()
    }
}

/// A lock around data, Rust's way to share what Python guards with a `Lock` beside it.
///
/// It is hilos' lock in lock_api's `Mutex`: guards, no poisoning, and `const` construction.
///
/// ```
/// use hilos_core::Mutex;
///
/// static BALANCE: Mutex<i64> = Mutex::new(0);
/// *BALANCE.lock() += 1;
/// assert_eq!(*BALANCE.lock(), 1);
/// ```
pub type Mutex<T> = lock_api::Mutex<OneWordLock, T>;

/// Holds a [`Mutex`] and gives access to its data until it is dropped.
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, OneWordLock, T>;

// SAFETY: `try_lock` and `lock` return only after the thread has set LOCKED with acquire order,
// which no other thread can until `unlock` clears it with release order. The guard state is
// empty: forgetting it leaves the lock held, and nothing depends on the lock's address while
// nobody waits on it, so it may be moved or dropped while locked.
#[cfg(not(loom))]
unsafe impl lock_api::RawMutex for OneWordLock {
    type Guard = ();

    const INIT: Self = Self::new();

    #[inline]
    #[track_caller]
    fn lock(&self) {
        self.acquire();
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<()> {
        self.try_acquire().then_some(())
    }

    #[inline]
    unsafe fn unlock(&self, (): ()) {
        let held = self.release();
        debug_assert!(held, "a guard holds the lock");
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.locked()
    }
}

// SAFETY: as for `RawMutex`; both return `None` only when the lock was not acquired.
#[cfg(not(loom))]
unsafe impl lock_api::RawMutexTimed for OneWordLock {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: Duration) -> Option<()> {
        self.acquire_until(Deadline::after(timeout)).then_some(())
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, timeout: Instant) -> Option<()> {
        self.acquire_until(Deadline::at(timeout)).then_some(())
    }
}
