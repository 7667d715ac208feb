//! `threading.Lock`.

use std::fmt;

use hilos_core::const_fn;
use hilos_core::lock::{Guard, RawLock};
use hilos_core::raw_lock::OneWordLock;
use hilos_core::time::{Deadline, Timeout};

use crate::error::{Error, RuntimeError};
use crate::repr::{address, debug_like_display, lock_state};

/// A lock that one thread at a time can hold and any thread can release.
///
/// Use it to port code that acquires and releases by hand, or that lets one thread release what
/// another acquired. To guard data, [`Mutex`](crate::Mutex) is the same lock with the data inside.
/// It can be a `static`; threads share it by reference or in an `Arc`.
///
/// ```
/// use hilos_threading as threading;
/// use threading::Lock;
///
/// static LOCK: Lock = Lock::new();
///
/// LOCK.acquire();
/// assert!(LOCK.locked());
/// assert!(!LOCK.try_acquire());
/// LOCK.release()?;
///
/// {
///     let _held = LOCK.lock(); // Python's `with lock:`
/// }
/// assert_eq!(LOCK.release().unwrap_err().to_string(), "release unlocked lock");
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - `acquire(blocking=False)` is [`try_acquire`](Self::try_acquire), `acquire(timeout=1)` is
///   [`acquire_timeout`](Self::acquire_timeout); a timeout on a call that does not block cannot
///   be written.
///
/// Mirrors [`threading.Lock`](https://docs.python.org/3.14/library/threading.html#threading.Lock).
#[derive(Default)]
pub struct Lock {
    raw: OneWordLock,
}

impl Lock {
    const_fn! {
        /// Creates a lock that nobody holds.
        pub const fn new() -> Self {
            Self { raw: OneWordLock::new() }
        }
    }

    /// Names the lock in the reports of the module `deadlock`; unused without its feature.
    #[must_use]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.raw.set_name(name);
        self
    }

    /// Blocks until the lock is acquired.
    ///
    /// # Blocking
    /// Without a limit, also when the current thread holds the lock itself: that is a deadlock.
    #[inline]
    #[track_caller]
    pub fn acquire(&self) {
        self.raw.acquire();
    }

    /// Acquires the lock if nobody holds it; Python's `acquire(blocking=False)`.
    #[inline]
    #[track_caller]
    #[must_use]
    pub fn try_acquire(&self) -> bool {
        self.raw.try_acquire()
    }

    /// Acquires the lock, or returns `false` when `timeout` has passed.
    ///
    /// As in Python, -1 waits for ever, and so does `None`.
    ///
    /// # Errors
    /// [`ValueError`](crate::ValueError) if the timeout is any other negative number or NaN,
    /// [`OverflowError`](crate::OverflowError) if it exceeds [`TIMEOUT_MAX`](crate::TIMEOUT_MAX).
    #[track_caller]
    pub fn acquire_timeout<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, Error> {
        let deadline = timeout.into().checked_for_lock()?;
        Ok(self.raw.acquire_until(deadline))
    }

    /// Releases the lock, whichever thread holds it, and lets one waiting thread go on.
    ///
    /// # Errors
    /// [`RuntimeError`] if nobody holds the lock.
    #[inline]
    pub fn release(&self) -> Result<(), RuntimeError> {
        if self.raw.release() {
            Ok(())
        } else {
            Err(RuntimeError::ReleaseUnlocked)
        }
    }

    /// Whether any thread holds the lock.
    #[inline]
    pub fn locked(&self) -> bool {
        self.raw.locked()
    }

    /// Acquires the lock and holds it while the guard lives: Python's `with lock:`.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Guard<'_, Self> {
        Guard::acquire(self)
    }

    /// Calls `f` while holding the lock, and releases it also if `f` panics.
    #[track_caller]
    pub fn with<R, F: FnOnce() -> R>(&self, f: F) -> R {
        let _held = self.lock();
        f()
    }
}

impl RawLock for Lock {
    type ReleaseError = RuntimeError;

    #[inline]
    #[track_caller]
    fn acquire_until(&self, deadline: Deadline) -> bool {
        self.raw.acquire_until(deadline)
    }

    #[inline]
    fn release(&self) -> Result<(), RuntimeError> {
        Self::release(self)
    }

    fn locked(&self) -> bool {
        Self::locked(self)
    }

    /// A lock has no owner: as in Python, it counts as everybody's while it is held.
    fn is_owned(&self) -> bool {
        Self::locked(self)
    }

    fn release_save(&self) -> usize {
        usize::from(self.raw.release())
    }

    #[track_caller]
    fn acquire_restore(&self, _depth: usize) {
        self.raw.acquire();
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<{} _thread.lock object at {}>",
            lock_state(self.locked()),
            address(self)
        )
    }
}

debug_like_display!(Lock);
