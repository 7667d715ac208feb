//! `threading.Condition`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::const_fn;
use hilos_core::lock::{Guard, RawLock};
use hilos_core::park::{PARKED, Parked, park, unpark_all};
use hilos_core::sync::atomic::{AtomicUsize, Ordering};
use hilos_core::sync::{Mutex, spin_until};
use hilos_core::time::{Deadline, Timeout};

use crate::error::{Error, RuntimeError};
use crate::repr::debug_like_display;
use crate::{Lock, RLock};

/// A thread holds a lock and waits, without the lock, until another thread notifies it.
///
/// Use it where a thread must wait for a state that other threads change: check the state under
/// the lock, [`wait`](Self::wait) while it is not there, [`notify`](Self::notify) after changing
/// it. Several conditions can share one lock: build each over a reference or an `Arc` of it.
///
/// Waiting threads are woken in the order in which they came, and only by a notification or by
/// their timeout, never by chance.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use hilos_threading as threading;
/// use threading::{Condition, Thread};
///
/// let ready = Arc::new((Condition::default(), AtomicBool::new(false)));
/// let theirs = ready.clone();
/// let waiter = Thread::new(move || -> Result<(), threading::Error> {
///     let (condition, flag) = &*theirs;
///     let _held = condition.lock();
///     condition.wait_for(|| flag.load(Ordering::Relaxed), None)?;
///     Ok(())
/// });
/// waiter.start()?;
/// {
///     let (condition, flag) = &*ready;
///     let _held = condition.lock();
///     flag.store(true, Ordering::Relaxed);
///     condition.notify(1)?;
/// }
/// waiter.join(None)?;
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - `Condition()` is [`Condition::default`], over a new [`RLock`]; `Condition(lock)` is
///   [`Condition::new`].
/// - `notify()` is `notify(1)`.
/// - A timeout beyond [`TIMEOUT_MAX`](crate::TIMEOUT_MAX) waits for ever; CPython refuses it.
/// - Over a plain [`Lock`], any thread passes for its holder while it is locked, as in Python.
///
/// Mirrors [`threading.Condition`](https://docs.python.org/3.14/library/threading.html#threading.Condition).
pub struct Condition<L = RLock> {
    lock: L,
    /// The waiting threads, the longest waiting first.
    waiters: Mutex<VecDeque<Arc<Waiter>>>,
}

/// One waiting thread.
struct Waiter {
    /// [`NOTIFIED`] once it may go on, or [`PARKED`].
    state: AtomicUsize,
}

/// The bit of a waiter that [`Condition::notify`] sets.
const NOTIFIED: usize = 2;

impl<L: RawLock> Condition<L> {
    const_fn! {
        /// Creates a condition over `lock`.
        pub const fn new(lock: L) -> Self {
            Self { lock, waiters: Mutex::new(VecDeque::new()) }
        }
    }

    /// Blocks until the lock is acquired.
    #[track_caller]
    pub fn acquire(&self) {
        self.lock.acquire_until(Deadline::NEVER);
    }

    /// Acquires the lock if that needs no waiting; Python's `acquire(blocking=False)`.
    #[track_caller]
    #[must_use]
    pub fn try_acquire(&self) -> bool {
        self.lock.acquire_until(Deadline::PAST)
    }

    /// Acquires the lock, or returns `false` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`Lock::acquire_timeout`].
    #[track_caller]
    pub fn acquire_timeout<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, Error> {
        Ok(self.lock.acquire_until(timeout.into().checked_for_lock()?))
    }

    /// Releases the lock.
    ///
    /// # Errors
    /// The lock's own, if it is not held.
    pub fn release(&self) -> Result<(), L::ReleaseError> {
        self.lock.release()
    }

    /// Whether any thread holds the lock.
    pub fn locked(&self) -> bool {
        self.lock.locked()
    }

    /// What it was made over, so that another one can be made over the same.
    #[doc(hidden)]
    pub fn raw(&self) -> &L {
        &self.lock
    }

    /// Acquires the lock and holds it while the guard lives: Python's `with condition:`.
    #[track_caller]
    pub fn lock(&self) -> Guard<'_, L> {
        Guard::acquire(&self.lock)
    }

    /// Calls `f` while holding the lock, and releases it also if `f` panics.
    #[track_caller]
    pub fn with<R, F: FnOnce() -> R>(&self, f: F) -> R {
        let _held = self.lock();
        f()
    }

    /// Releases the lock, blocks until notified or until `timeout` has passed, and acquires the
    /// lock again; says whether it was notified.
    ///
    /// A lock that is held several levels deep is released whole and restored to its depth. As in
    /// Python, a negative timeout does not wait for a notification, but does let go of the lock.
    ///
    /// # Errors
    /// [`RuntimeError`] if the current thread does not hold the lock.
    ///
    /// # Blocking
    /// The timeout does not limit the time that acquiring the lock again takes.
    #[track_caller]
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, RuntimeError> {
        self.wait_until(timeout.into().deadline())
    }

    /// Like [`wait`](Self::wait), but asks every `interval` whether the waiting `is_over`, and keeps its place in the
    /// line meanwhile: for a server that waits for clients, who may be gone.
    #[doc(hidden)]
    pub fn wait_unless<T: Into<Timeout>>(
        &self,
        timeout: T,
        interval: Duration,
        is_over: impl Fn() -> bool,
    ) -> Result<bool, RuntimeError> {
        let deadline = timeout.into().deadline();
        self.wait_by(|waiter| {
            loop {
                let slice = deadline.at_most(interval);
                let notified = waiter.wait(slice);
                if notified || slice == deadline || is_over() {
                    return notified;
                }
            }
        })
    }

    /// Waits until `predicate` is true or `timeout` has passed, and returns its last value.
    ///
    /// `predicate` is called with the lock held, first before waiting at all. As in Python, the lock
    /// is let go of at least once before the answer is `false`, also for a timeout of zero or less.
    ///
    /// # Errors
    /// [`RuntimeError`] if it has to wait and the current thread does not hold the lock.
    #[track_caller]
    pub fn wait_for<T: Into<Timeout>, P: FnMut() -> bool>(
        &self,
        mut predicate: P,
        timeout: T,
    ) -> Result<bool, RuntimeError> {
        if predicate() {
            return Ok(true);
        }
        let deadline = timeout.into().deadline();
        loop {
            self.wait_until(deadline)?;
            if predicate() {
                return Ok(true);
            }
            if deadline.passed() {
                return Ok(false);
            }
        }
    }

    /// Lets up to `n` waiting threads go on, the longest waiting first.
    ///
    /// They run once they can acquire the lock, so not before the caller releases it.
    ///
    /// # Errors
    /// [`RuntimeError`] if the current thread does not hold the lock.
    pub fn notify(&self, n: usize) -> Result<(), RuntimeError> {
        if !self.lock.is_owned() {
            return Err(RuntimeError::NotifyUnacquired);
        }
        let mut waiters = self.waiters.lock();
        for _ in 0..n {
            match waiters.pop_front() {
                Some(waiter) => waiter.notify(),
                None => break,
            }
        }
        Ok(())
    }

    /// Lets every waiting thread go on.
    ///
    /// # Errors
    /// [`RuntimeError`] if the current thread does not hold the lock.
    pub fn notify_all(&self) -> Result<(), RuntimeError> {
        self.notify(usize::MAX)
    }

    #[track_caller]
    fn wait_until(&self, deadline: Deadline) -> Result<bool, RuntimeError> {
        self.wait_by(|waiter| waiter.wait(deadline))
    }

    /// Stands in line while `wait` waits.
    #[track_caller]
    fn wait_by(&self, wait: impl FnOnce(&Waiter) -> bool) -> Result<bool, RuntimeError> {
        if !self.lock.is_owned() {
            return Err(RuntimeError::WaitUnacquired);
        }
        let waiter = Arc::new(Waiter {
            state: AtomicUsize::new(0),
        });
        // In the queue before the lock is free: whoever takes it next can notify this thread.
        self.waiters.lock().push_back(waiter.clone());
        let depth = self.lock.release_save();
        let notified = wait(&waiter) || !self.leave(&waiter);
        self.lock.acquire_restore(depth);
        Ok(notified)
    }

    /// Takes a waiter out of the queue; `false` if a notification was faster.
    fn leave(&self, waiter: &Arc<Waiter>) -> bool {
        let mut waiters = self.waiters.lock();
        match waiters.iter().position(|other| Arc::ptr_eq(other, waiter)) {
            Some(place) => waiters.remove(place).is_some(),
            None => false,
        }
    }
}

impl Waiter {
    /// Blocks until notified, or returns `false` when `deadline` has passed.
    fn wait(&self, deadline: Deadline) -> bool {
        if deadline.is_past() {
            return false;
        }
        if spin_until(|| self.state.load(Ordering::Acquire) == NOTIFIED) {
            return true;
        }
        let announced =
            self.state
                .compare_exchange(0, PARKED, Ordering::Acquire, Ordering::Acquire);
        announced.is_ok() && park(&self.state, PARKED, deadline) != Parked::TimedOut
            || self.state.load(Ordering::Acquire) == NOTIFIED
    }

    fn notify(&self) {
        let free = self
            .state
            .compare_exchange(0, NOTIFIED, Ordering::Release, Ordering::Relaxed);
        if free.is_err() {
            unpark_all(&self.state, NOTIFIED);
        }
    }
}

impl Default for Condition {
    /// A condition over a lock of its own, Python's `Condition()`.
    fn default() -> Self {
        Self::new(RLock::new())
    }
}

impl From<Lock> for Condition<Lock> {
    fn from(lock: Lock) -> Self {
        Self::new(lock)
    }
}

impl<L: RawLock + fmt::Display> fmt::Display for Condition<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<Condition({}, {})>",
            self.lock,
            self.waiters.lock().len()
        )
    }
}

debug_like_display!(Condition<L>, L: RawLock + fmt::Display);
