//! `threading.RLock`.

use std::fmt;

use hilos_core::const_fn;
use hilos_core::ident::get_ident;
use hilos_core::lock::{Guard, RawLock};
use hilos_core::raw_lock::OneWordLock;
use hilos_core::sync::atomic::{AtomicUsize, Ordering};
use hilos_core::time::{Deadline, Timeout};

use crate::error::{Error, RuntimeError};
use crate::repr::{address, debug_like_display, lock_state};

/// A lock that its holder can acquire again.
///
/// Use it where a function that holds the lock calls another that takes it too. Each acquisition
/// wants its own release; the lock is free after the last one.
///
/// ```
/// use hilos_threading as threading;
/// use threading::RLock;
///
/// let lock = RLock::new();
/// lock.acquire();
/// lock.acquire();
/// lock.release()?;
/// assert!(lock.locked());
/// lock.release()?;
/// assert_eq!(lock.release().unwrap_err().to_string(), "cannot release un-acquired lock");
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - `acquire(blocking=False)` is [`try_acquire`](Self::try_acquire), `acquire(timeout=1)` is
///   [`acquire_timeout`](Self::acquire_timeout).
///
/// Mirrors [`threading.RLock`](https://docs.python.org/3.14/library/threading.html#threading.RLock).
#[derive(Default)]
pub struct RLock {
    raw: OneWordLock,
    /// The identifier of the thread that holds the lock, 0 for none. Only that thread can find
    /// its own identifier here, so no order with other memory is needed.
    owner: AtomicUsize,
    /// How many acquisitions are to be released; written by the owner alone.
    depth: AtomicUsize,
}

impl RLock {
    const_fn! {
        /// Creates a lock that nobody holds.
        pub const fn new() -> Self {
            let (owner, depth) = (AtomicUsize::new(0), AtomicUsize::new(0));
            Self { raw: OneWordLock::new(), owner, depth }
        }
    }

    /// Names the lock in the reports of the module `deadlock`; unused without its feature.
    #[must_use]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.raw.set_name(name);
        self
    }

    /// Blocks until the lock is acquired, at once if this thread holds it already.
    #[inline]
    #[track_caller]
    pub fn acquire(&self) {
        let me = get_ident().get();
        if !self.acquire_again(me) {
            self.raw.acquire();
            self.own(me, 1);
        }
    }

    /// Acquires the lock if no other thread holds it; Python's `acquire(blocking=False)`.
    #[inline]
    #[track_caller]
    #[must_use]
    pub fn try_acquire(&self) -> bool {
        let me = get_ident().get();
        if self.acquire_again(me) {
            return true;
        }
        let acquired = self.raw.try_acquire();
        if acquired {
            self.own(me, 1);
        }
        acquired
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
        Ok(self.acquire_until(deadline))
    }

    /// Releases one acquisition of the current thread.
    ///
    /// # Errors
    /// [`RuntimeError`] if the current thread does not hold the lock.
    #[inline]
    pub fn release(&self) -> Result<(), RuntimeError> {
        if !self.is_owned() {
            return Err(RuntimeError::ReleaseUnacquired);
        }
        match self.depth.load(Ordering::Relaxed) {
            1 => self.disown(),
            depth => self.depth.store(depth - 1, Ordering::Relaxed),
        }
        Ok(())
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

    /// Goes one level deeper if thread `me` holds the lock.
    #[inline]
    fn acquire_again(&self, me: usize) -> bool {
        let again = self.owner.load(Ordering::Relaxed) == me;
        if again {
            let depth = self.depth.load(Ordering::Relaxed);
            self.depth.store(depth + 1, Ordering::Relaxed);
        }
        again
    }

    #[inline]
    fn own(&self, me: usize, depth: usize) {
        self.owner.store(me, Ordering::Relaxed);
        self.depth.store(depth, Ordering::Relaxed);
    }

    #[inline]
    fn disown(&self) {
        self.own(0, 0);
        let held = self.raw.release();
        debug_assert!(held, "the owner holds the lock");
    }
}

impl RawLock for RLock {
    type ReleaseError = RuntimeError;

    #[inline]
    #[track_caller]
    fn acquire_until(&self, deadline: Deadline) -> bool {
        let me = get_ident().get();
        if self.acquire_again(me) {
            return true;
        }
        let acquired = self.raw.acquire_until(deadline);
        if acquired {
            self.own(me, 1);
        }
        acquired
    }

    #[inline]
    fn release(&self) -> Result<(), RuntimeError> {
        Self::release(self)
    }

    fn locked(&self) -> bool {
        Self::locked(self)
    }

    #[inline]
    fn is_owned(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == get_ident().get()
    }

    fn release_save(&self) -> usize {
        let depth = self.depth.load(Ordering::Relaxed);
        if self.is_owned() {
            self.disown();
        }
        depth
    }

    #[track_caller]
    fn acquire_restore(&self, depth: usize) {
        self.raw.acquire();
        self.own(get_ident().get(), depth);
    }
}

impl fmt::Display for RLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (owner, depth) = (
            self.owner.load(Ordering::Relaxed),
            self.depth.load(Ordering::Relaxed),
        );
        let state = lock_state(self.locked());
        let address = address(self);
        write!(
            f,
            "<{state} _thread.RLock object owner={owner} count={depth} at {address}>"
        )
    }
}

debug_like_display!(RLock);
