//! `multiprocessing.Condition`.

use std::fmt;

use hilos_core::time::{Deadline, Timeout};
use serde::{Deserialize, Serialize};

use super::guard::{Guard, RawLock};
use super::repr::debug_like_display;
use super::waiters::Waiters;
use super::{Lock, RLock};
use crate::error::Error;
use crate::handle::Handle;

/// A process holds a lock and waits, without the lock, until another process notifies it.
///
/// Use it where a process must wait for a state in shared memory that others change: check the
/// state under the lock, [`wait`](Self::wait) while it is not there, [`notify`](Self::notify)
/// after changing it. A handle: clones are the same condition, in this process and in others.
///
/// Waiters are woken in the order in which they came, and only by a notification or by their
/// timeout. If one is killed after it was notified and before it went on, another one goes on.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Condition, Process, Value};
///
/// fn child(condition: Condition, ready: Value<i32>) -> Result<(), multiprocessing::Error> {
///     let _held = condition.lock()?;
///     ready.set(1)?;
///     condition.notify(1)
/// }
///
/// let (condition, ready) = (Condition::new()?, Value::new(0)?);
/// let held = condition.lock()?;
/// let process = Process::new(child, (condition.clone(), ready.clone()));
/// process.start()?;
/// condition.wait_for(|| ready.get().is_ok_and(|value| value == 1), None)?;
/// drop(held);
/// # process.join(None)?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `Condition(lock)` is [`Condition::with_lock`], and `notify()` is `notify(1)`.
/// - At most 1,023 threads wait at the same time.
///
/// Mirrors [`multiprocessing.Condition`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Condition).
#[derive(Clone, Serialize, Deserialize)]
pub struct Condition<L = RLock> {
    lock: L,
    waiters: Handle<Waiters>,
}

impl Condition {
    /// Creates a condition over a lock of its own: Python's `Condition()`.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptors left.
    pub fn new() -> Result<Self, Error> {
        Self::with_lock(RLock::new()?)
    }
}

impl Condition<Lock> {
    pub(super) fn over_plain_lock() -> Result<Self, Error> {
        Self::with_lock(Lock::new()?)
    }
}

impl<L: RawLock> Condition<L> {
    /// Creates a condition over `lock`: Python's `Condition(lock)`.
    ///
    /// # Errors
    /// As [`new`](Condition::new).
    pub fn with_lock(lock: L) -> Result<Self, Error> {
        let waiters = Handle::new()?;
        Ok(Self { lock, waiters })
    }

    /// Blocks until the lock is acquired.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if the process that holds it is dead.
    pub fn acquire(&self) -> Result<(), Error> {
        self.lock.acquire_until(Deadline::NEVER).map(drop)
    }

    /// Acquires the lock if that needs no waiting; Python's `acquire(block=False)`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn try_acquire(&self) -> Result<bool, Error> {
        self.lock.acquire_until(Deadline::PAST)
    }

    /// Acquires the lock, or returns `false` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn acquire_timeout<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, Error> {
        self.lock.acquire_until(timeout.into().deadline())
    }

    /// Releases the lock.
    ///
    /// # Errors
    /// The lock's own, if it is not held.
    pub fn release(&self) -> Result<(), Error> {
        self.lock.release()
    }

    /// The lock under the condition, for what only a lock has, such as `recover`.
    pub fn get_lock(&self) -> &L {
        &self.lock
    }

    /// Acquires the lock and holds it while the guard lives: Python's `with condition:`.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub fn lock(&self) -> Result<Guard<'_, L>, Error> {
        Guard::acquire(&self.lock)
    }

    /// Releases the lock, blocks until notified or until `timeout` has passed, and acquires the
    /// lock again; says whether it was notified.
    ///
    /// A lock that is held several levels deep is released whole and restored to its depth. A
    /// negative timeout does not wait for a notification, but does let go of the lock.
    ///
    /// # Errors
    /// [`Error::Assertion`] if the current thread does not hold the lock; [`Error::OwnerDied`] if
    /// whoever took it meanwhile is dead: it is not held then.
    ///
    /// # Blocking
    /// The timeout does not limit the time that acquiring the lock again takes.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, Error> {
        self.wait_until(timeout.into().deadline())
    }

    /// Waits until `predicate` is true or `timeout` has passed, and returns its last value.
    ///
    /// `predicate` is called with the lock held, first before waiting at all.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), if it has to wait.
    pub fn wait_for<T: Into<Timeout>, P: FnMut() -> bool>(
        &self,
        mut predicate: P,
        timeout: T,
    ) -> Result<bool, Error> {
        let deadline = timeout.into().deadline();
        loop {
            if predicate() {
                return Ok(true);
            }
            if deadline.passed() {
                return Ok(false);
            }
            self.wait_until(deadline)?;
        }
    }

    /// Lets up to `n` waiters go on, the longest waiting first.
    ///
    /// They run once they can acquire the lock, so not before the caller releases it.
    ///
    /// # Errors
    /// [`Error::Assertion`] if the current thread does not hold the lock.
    pub fn notify(&self, n: usize) -> Result<(), Error> {
        if !self.lock.is_owned() {
            return Err(Error::Assertion("lock is not owned"));
        }
        self.waiters.notify(n);
        Ok(())
    }

    /// Lets every waiter go on.
    ///
    /// # Errors
    /// As [`notify`](Self::notify).
    pub fn notify_all(&self) -> Result<(), Error> {
        self.notify(usize::MAX)
    }

    pub(super) fn wait_until(&self, deadline: Deadline) -> Result<bool, Error> {
        if !self.lock.is_owned() {
            let text = "must acquire() condition before using wait()";
            return Err(Error::Assertion(text));
        }
        // In the table before the lock is free: whoever takes it next can notify this thread.
        let waiter = self.waiters.enter();
        let waiter = waiter.ok_or_else(|| Error::Runtime("too many waiters".into()))?;
        let depth = self.lock.release_save();
        let notified = waiter.wait(deadline);
        self.lock.acquire_restore(depth)?;
        Ok(notified)
    }
}

impl<L: RawLock + fmt::Display> fmt::Display for Condition<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Condition({}, {})>", self.lock, self.waiters.count())
    }
}

debug_like_display!(Condition<L>, L: RawLock + fmt::Display);
