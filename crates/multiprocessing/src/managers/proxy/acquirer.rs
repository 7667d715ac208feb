//! `multiprocessing.managers.AcquirerProxy`.

use std::marker::PhantomData;

use hilos_core::time::Timeout;

use super::error::RemoteError;
use super::typed::typed_proxy;
use super::untyped::Proxy;

typed_proxy! {
    /// A lock in a manager's process: a `Lock`, `RLock`, `Semaphore` or `BoundedSemaphore`.
    ///
    /// Use it for processes that the manager is all they share, such as on other machines; between
    /// processes of one program a [`Lock`](crate::Lock) is a thousand times faster and tells of a
    /// holder that has died.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let (lock, balance) = (manager.lock()?, manager.value("i", 100)?);
    /// lock.with(|| balance.set(balance.get()? + 1))??;
    /// assert_eq!(balance.get()?, 101);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Differences from Python
    /// - `acquire(blocking, timeout)` is [`acquire`](Self::acquire), [`try_acquire`](Self::try_acquire)
    ///   and [`acquire_timeout`](Self::acquire_timeout).
    /// - `with lock:` is [`with`](Self::with), or [`lock`](Self::lock) and the end of its guard.
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.Lock`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.Lock).
    AcquirerProxy<>
}

/// Holds a manager's lock until it is dropped: Python's `with lock:`.
#[must_use = "the lock is released at once if the guard is not kept"]
#[derive(Debug)]
pub struct AcquirerGuard<'a> {
    lock: &'a Proxy,
    /// Not `Send`: an `RLock` is released only by the thread that holds it.
    thread: PhantomData<*const ()>,
}

impl<'a> AcquirerGuard<'a> {
    pub(super) fn new(lock: &'a Proxy) -> Self {
        Self {
            lock,
            thread: PhantomData,
        }
    }
}

impl Drop for AcquirerGuard<'_> {
    fn drop(&mut self) {
        // Released by hand meanwhile, or lost with the server.
        let _ = self.lock.call("release", ());
    }
}

/// Acquires a lock, or says that it took too long.
pub(super) fn acquire(proxy: &Proxy, timeout: Timeout) -> Result<bool, RemoteError> {
    let (wait, deadline) = proxy.waiting(timeout);
    match wait {
        None => proxy.fetch("acquire", (true,), deadline),
        Some(wait) => proxy.fetch("acquire", (true, wait), deadline),
    }
}

/// The methods that locks and conditions share.
macro_rules! acquirer_methods {
    () => {
        /// Waits until the lock is acquired.
        ///
        /// # Errors
        /// [`RemoteError::Unanswered`] if that takes longer than
        /// [`with_timeout`](Self::with_timeout) allows.
        pub fn acquire(&self) -> Result<(), RemoteError> {
            let forever = hilos_core::time::Timeout::NEVER;
            match super::acquirer::acquire(&self.proxy, forever)? {
                true => Ok(()),
                false => Err(RemoteError::Unanswered),
            }
        }

        /// Acquires the lock if that needs no waiting; Python's `acquire(False)`.
        ///
        /// # Errors
        /// If the server cannot be asked.
        pub fn try_acquire(&self) -> Result<bool, RemoteError> {
            self.proxy.call_as("acquire", (false,))
        }

        /// Acquires the lock, or returns `false` when `timeout` has passed.
        ///
        /// # Errors
        /// [`RemoteError::Value`] if the timeout is one that the lock does not accept.
        pub fn acquire_timeout<D>(&self, timeout: D) -> Result<bool, RemoteError>
        where
            D: Into<hilos_core::time::Timeout>,
        {
            super::acquirer::acquire(&self.proxy, timeout.into())
        }

        /// Releases the lock.
        ///
        /// # Errors
        /// [`RemoteError::Runtime`] if it is not held, or not by this thread where that matters;
        /// [`RemoteError::Value`] for a bounded semaphore that is released too often.
        pub fn release(&self) -> Result<(), RemoteError> {
            self.proxy.call_as("release", ())
        }

        /// Whether somebody holds the lock; from a server of Python 3.14 on.
        ///
        /// # Errors
        /// [`RemoteError::Traceback`] if the server is older.
        pub fn locked(&self) -> Result<bool, RemoteError> {
            self.proxy.call_as("locked", ())
        }

        /// Acquires the lock and holds it while the guard lives: Python's `with lock:`.
        ///
        /// # Errors
        /// As [`acquire`](Self::acquire).
        pub fn lock(&self) -> Result<super::acquirer::AcquirerGuard<'_>, RemoteError> {
            self.acquire()?;
            Ok(super::acquirer::AcquirerGuard::new(&self.proxy))
        }

        /// Calls `f` while holding the lock, and releases it also if `f` panics.
        ///
        /// # Errors
        /// As [`acquire`](Self::acquire); `f` is not called then.
        pub fn with<R, F: FnOnce() -> R>(&self, f: F) -> Result<R, RemoteError> {
            let _held = self.lock()?;
            Ok(f())
        }
    };
}
pub(super) use acquirer_methods;

impl AcquirerProxy {
    acquirer_methods!();
}
