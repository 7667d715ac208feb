//! `multiprocessing.managers.BarrierProxy`.

use hilos_core::time::Timeout;

use super::error::RemoteError;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// A barrier in a manager's process, at which threads of any process wait for each other.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let start = manager.barrier(2)?;
    /// let other = start.clone();
    /// let thread = std::thread::spawn(move || other.wait(10));
    /// let places = [start.wait(10)?, thread.join().unwrap()?];
    /// assert!(places == [0, 1] || places == [1, 0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.Barrier`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.Barrier).
    BarrierProxy<>
}

impl BarrierProxy {
    /// Waits until as many as the barrier is for have come, and returns a number from 0 on that is
    /// another one for each.
    ///
    /// # Errors
    /// [`RemoteError::BrokenBarrier`] if one of them does not wait that long, or if the barrier is
    /// broken or reset; also, where the server is hilos's, if one who waits is killed.
    ///
    /// # Blocking
    /// For `timeout`; `None` is as long as the barrier itself allows.
    pub fn wait<D: Into<Timeout>>(&self, timeout: D) -> Result<usize, RemoteError> {
        let (wait, deadline) = self.proxy.waiting(timeout.into());
        self.proxy.fetch("wait", (wait,), deadline)
    }

    /// Has all who wait fail, and the barrier begin anew.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn reset(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("reset", ())
    }

    /// Breaks the barrier, for those who wait and those who come.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn abort(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("abort", ())
    }

    /// How many have to come.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn parties(&self) -> Result<usize, RemoteError> {
        self.attribute("parties")
    }

    /// How many wait.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn n_waiting(&self) -> Result<usize, RemoteError> {
        self.attribute("n_waiting")
    }

    /// Whether the barrier is broken.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn broken(&self) -> Result<bool, RemoteError> {
        self.attribute("broken")
    }

    fn attribute<R: Item>(&self, name: &str) -> Result<R, RemoteError> {
        self.proxy.call_as("__getattribute__", (name,))
    }
}
