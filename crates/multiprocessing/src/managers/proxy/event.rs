//! `multiprocessing.managers.EventProxy`.

use hilos_core::time::Timeout;

use super::error::RemoteError;
use super::typed::typed_proxy;

typed_proxy! {
    /// A flag in a manager's process, which is waited for.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let ready = manager.event()?;
    /// assert!(!ready.wait(0.1)?);
    /// ready.set()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.Event`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.Event).
    EventProxy<>
}

impl EventProxy {
    /// Whether the flag is set.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn is_set(&self) -> Result<bool, RemoteError> {
        self.proxy.call_as("is_set", ())
    }

    /// Sets the flag, and wakes all who wait.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn set(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("set", ())
    }

    /// Takes the flag back.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn clear(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("clear", ())
    }

    /// Waits until the flag is set; `false` when `timeout` has passed before.
    ///
    /// # Errors
    /// If the server cannot be asked.
    ///
    /// # Blocking
    /// For `timeout`; `None` is without a limit.
    pub fn wait<D: Into<Timeout>>(&self, timeout: D) -> Result<bool, RemoteError> {
        let (wait, deadline) = self.proxy.waiting(timeout.into());
        self.proxy.fetch("wait", (wait,), deadline)
    }
}
