//! What the locks have in common.

use std::marker::PhantomData;

use hilos_core::time::Deadline;

use crate::error::Error;

/// A lock that a [`Condition`](super::Condition) can be built over: [`Lock`](super::Lock) or
/// [`RLock`](super::RLock).
pub trait RawLock {
    /// Acquires the lock, or returns `false` when `deadline` has passed.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if the process that holds it is dead.
    fn acquire_until(&self, deadline: Deadline) -> Result<bool, Error>;

    /// Releases the lock, one level of it if it can be nested.
    ///
    /// # Errors
    /// The lock is not held, or not by this thread where that matters; nothing has changed.
    fn release(&self) -> Result<(), Error>;

    /// Whether the current thread counts as the lock's holder.
    fn is_owned(&self) -> bool;

    /// Releases every level of a lock that [`is_owned`](Self::is_owned), and returns how many.
    fn release_save(&self) -> u32;

    /// Acquires the lock again, to the depth that [`release_save`](Self::release_save) returned.
    ///
    /// # Errors
    /// As [`acquire_until`](Self::acquire_until).
    fn acquire_restore(&self, depth: u32) -> Result<(), Error>;
}

/// Holds a lock until it is dropped: Python's `with lock:`.
#[must_use = "the lock is released at once if the guard is not kept"]
#[derive(Debug)]
pub struct Guard<'a, L: RawLock> {
    lock: &'a L,
    /// Not `Send`: an `RLock` is released only by the thread that holds it.
    thread: PhantomData<*const ()>,
}

impl<'a, L: RawLock> Guard<'a, L> {
    pub(crate) fn acquire(lock: &'a L) -> Result<Self, Error> {
        lock.acquire_until(Deadline::NEVER)?;
        Ok(Self {
            lock,
            thread: PhantomData,
        })
    }
}

impl<L: RawLock> Drop for Guard<'_, L> {
    fn drop(&mut self) {
        // Released by hand meanwhile: the lock is free either way.
        let _ = self.lock.release();
    }
}

/// The methods that `Lock` and `RLock` share.
macro_rules! lock_methods {
    ($repeated:literal) => {
        /// Blocks until the lock is acquired.
        ///
        /// # Errors
        /// [`Error::OwnerDied`] if the process that holds it is dead: the lock is not acquired, and
        /// everybody is told until somebody calls [`recover`](Self::recover).
        ///
        /// # Blocking
        #[doc = $repeated]
        #[inline]
        pub fn acquire(&self) -> Result<(), Error> {
            self.acquire_until(Deadline::NEVER).map(drop)
        }

        /// Acquires the lock if that needs no waiting; Python's `acquire(block=False)`.
        ///
        /// # Errors
        /// As [`acquire`](Self::acquire).
        #[inline]
        pub fn try_acquire(&self) -> Result<bool, Error> {
            self.acquire_until(Deadline::PAST)
        }

        /// Acquires the lock, or returns `false` when `timeout` has passed.
        ///
        /// A negative timeout does not wait, unlike that of `threading`'s locks.
        ///
        /// # Errors
        /// As [`acquire`](Self::acquire).
        pub fn acquire_timeout<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, Error> {
            self.acquire_until(timeout.into().deadline())
        }

        /// Takes the lock over from a process that has died holding it; `false` if its holder
        /// lives, or if somebody else was faster.
        ///
        /// What the lock guards may be half changed: look at it before you release the lock.
        #[must_use]
        pub fn recover(&self) -> bool {
            self.word().recover(Life::thread(), Self::life())
        }

        /// Whether anybody holds the lock.
        #[inline]
        pub fn locked(&self) -> bool {
            self.word().thread() != 0
        }

        /// Acquires the lock and holds it while the guard lives: Python's `with lock:`.
        ///
        /// # Errors
        /// As [`acquire`](Self::acquire).
        #[inline]
        pub fn lock(&self) -> Result<Guard<'_, Self>, Error> {
            Guard::acquire(self)
        }

        /// Calls `f` while holding the lock, and releases it also if `f` panics.
        ///
        /// # Errors
        /// As [`acquire`](Self::acquire); `f` is not called then.
        pub fn with<R, F: FnOnce() -> R>(&self, f: F) -> Result<R, Error> {
            let _held = self.lock()?;
            Ok(f())
        }
    };
}
pub(super) use lock_methods;
