//! `multiprocessing.managers.ConditionProxy`.

use hilos_core::time::{Deadline, Timeout};

use super::acquirer::acquirer_methods;
use super::error::RemoteError;
use super::typed::typed_proxy;

typed_proxy! {
    /// A condition in a manager's process, with the lock that belongs to it.
    ///
    /// Use it to wait for a change of what the manager keeps. The thread that waits or notifies has
    /// to hold the lock.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let (condition, jobs) = (manager.condition()?, manager.list_of::<String>()?);
    /// let (theirs, list) = (condition.clone(), jobs.clone());
    /// let producer = std::thread::spawn(move || {
    ///     let _held = theirs.lock()?;
    ///     list.append("job")?;
    ///     theirs.notify(1)
    /// });
    /// let held = condition.lock()?;
    /// assert!(condition.wait_for(|| jobs.is_empty().is_ok_and(|empty| !empty), 10)?);
    /// drop(held);
    /// producer.join().unwrap()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.Condition`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.Condition).
    ConditionProxy<>
}

impl ConditionProxy {
    acquirer_methods!();

    /// Releases the lock, waits to be notified, and acquires the lock again; `false` when
    /// `timeout` has passed before.
    ///
    /// # Errors
    /// [`RemoteError::Runtime`] if this thread does not hold the lock.
    ///
    /// # Blocking
    /// For `timeout`, and then until the lock is free.
    pub fn wait<D: Into<Timeout>>(&self, timeout: D) -> Result<bool, RemoteError> {
        let (wait, deadline) = self.proxy.waiting(timeout.into());
        self.proxy.fetch("wait", (wait,), deadline)
    }

    /// Waits until `predicate`, which is asked here, is true; returns its last answer.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_for<P, D>(&self, mut predicate: P, timeout: D) -> Result<bool, RemoteError>
    where
        P: FnMut() -> bool,
        D: Into<Timeout>,
    {
        let deadline = timeout.into().deadline();
        loop {
            if predicate() {
                return Ok(true);
            }
            if deadline != Deadline::NEVER && deadline.passed() {
                return Ok(false);
            }
            let notified = self.wait(deadline.remaining())?;
            if !notified && deadline.is_never() {
                // The patience of the proxy is at its end, not the call's time.
                return Ok(predicate());
            }
        }
    }

    /// Wakes up to `n` of those who wait.
    ///
    /// # Errors
    /// [`RemoteError::Runtime`] if this thread does not hold the lock.
    pub fn notify(&self, n: usize) -> Result<(), RemoteError> {
        self.proxy.call_as("notify", (n,))
    }

    /// Wakes all who wait.
    ///
    /// # Errors
    /// [`RemoteError::Runtime`] if this thread does not hold the lock.
    pub fn notify_all(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("notify_all", ())
    }
}
