//! A lock that readers share.

use std::fmt;

use hilos_core::time::{Deadline, Timeout};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::error::Error;

/// A lock around data that many threads may read at once and one may change alone.
///
/// Use it where reading is frequent and takes time; for short sections a
/// [`Mutex`](crate::Mutex) is faster. A waiting writer goes before later readers, so that readers
/// cannot keep it out for ever; a thread that reads must therefore not ask to read again.
///
/// ```
/// use hilos_threading as threading;
/// use threading::RWLock;
///
/// let prices = RWLock::new(vec![1.5]);
/// assert_eq!(prices.read().len(), prices.try_read().unwrap().len());
/// prices.write().push(2.5);
/// assert!(prices.read_timeout(0.1)?.is_some());
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// Python has no such class.
#[derive(Default)]
pub struct RWLock<T = ()> {
    lock: RwLock<T>,
}

/// Lets a thread read what an [`RWLock`] holds, until it is dropped.
pub type ReadGuard<'a, T> = RwLockReadGuard<'a, T>;

/// Lets a thread change what an [`RWLock`] holds, until it is dropped.
pub type WriteGuard<'a, T> = RwLockWriteGuard<'a, T>;

impl<T> RWLock<T> {
    /// Creates a lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            lock: RwLock::new(value),
        }
    }

    /// Blocks until no thread writes or waits to write.
    pub fn read(&self) -> ReadGuard<'_, T> {
        self.lock.read()
    }

    /// Reads if that needs no waiting.
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        self.lock.try_read()
    }

    /// Like [`read`](Self::read), or `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`Lock::acquire_timeout`](crate::Lock::acquire_timeout).
    pub fn read_timeout<D: Into<Timeout>>(
        &self,
        timeout: D,
    ) -> Result<Option<ReadGuard<'_, T>>, Error> {
        Ok(match timeout.into().checked_for_lock()? {
            Deadline::NEVER => Some(self.read()),
            deadline => deadline
                .instant()
                .and_then(|moment| self.lock.try_read_until(moment)),
        })
    }

    /// Blocks until no thread reads or writes.
    pub fn write(&self) -> WriteGuard<'_, T> {
        self.lock.write()
    }

    /// Writes if that needs no waiting.
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        self.lock.try_write()
    }

    /// Like [`write`](Self::write), or `None` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`Lock::acquire_timeout`](crate::Lock::acquire_timeout).
    pub fn write_timeout<D: Into<Timeout>>(
        &self,
        timeout: D,
    ) -> Result<Option<WriteGuard<'_, T>>, Error> {
        Ok(match timeout.into().checked_for_lock()? {
            Deadline::NEVER => Some(self.write()),
            deadline => deadline
                .instant()
                .and_then(|moment| self.lock.try_write_until(moment)),
        })
    }

    /// Whether any thread reads or writes.
    pub fn locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// The data, out of a lock that nobody else can hold.
    pub fn into_inner(self) -> T {
        self.lock.into_inner()
    }
}

impl<T: fmt::Debug> fmt::Debug for RWLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lock, f)
    }
}
