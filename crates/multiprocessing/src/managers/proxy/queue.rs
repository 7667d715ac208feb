//! Proxies of queues, which are `AutoProxy`s in CPython.

use hilos_core::time::Timeout;
use serde::Serialize;

use super::error::RemoteError;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// A queue in a manager's process.
    ///
    /// Use it to hand work to programs on this machine and others, CPython's among them; between
    /// processes of one program a [`Queue`](crate::Queue) is faster.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    /// use multiprocessing::managers::QueueProxy;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let queue: QueueProxy<String> = manager.queue(0)?;
    /// queue.put("hello")?;
    /// assert_eq!(queue.get()?, "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A program's own typeid, such as the `get_queue` of Python's recipe, makes one by
    /// `QueueProxy::<String>::from(manager.create("get_queue", ())?)`.
    ///
    /// # Differences from Python
    /// - `get(False)` is [`get_nowait`](Self::get_nowait), `get(timeout=1)`
    ///   [`get_timeout(1)`](Self::get_timeout), and likewise for `put`.
    /// - A `get` that [`with_timeout`](Self::with_timeout) ends has the server end it, too, so that
    ///   no item is lost.
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.Queue`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.Queue).
    QueueProxy<T>
}

/// A queue in a manager's process whose items are tasks.
///
/// A manager's queues all count tasks.
pub type JoinableQueueProxy<T = hilos_pickle::Object> = QueueProxy<T>;

/// The methods of a queue; each fails as [`Proxy::call`](super::Proxy::call) does.
impl<T: Item> QueueProxy<T> {
    /// Puts an item into the queue, and waits while it is full.
    ///
    /// # Errors
    /// [`RemoteError::ShutDown`] if the queue is shut down; [`RemoteError::Full`] if it is full for
    /// longer than [`with_timeout`](Self::with_timeout) allows.
    ///
    /// # Blocking
    /// Without a limit but that of `with_timeout`.
    pub fn put<V: Into<T>>(&self, item: V) -> Result<(), RemoteError> {
        self.put_timeout(item, None)
    }

    /// Puts an item into the queue if it is not full.
    ///
    /// # Errors
    /// [`RemoteError::Full`], or as [`put`](Self::put).
    pub fn put_nowait<V: Into<T>>(&self, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("put_nowait", (item.into(),))
    }

    /// Puts an item into the queue, and waits for at most `timeout` while it is full.
    ///
    /// # Errors
    /// [`RemoteError::Full`] when the timeout has passed, [`RemoteError::Value`] if it is negative,
    /// or as [`put`](Self::put).
    pub fn put_timeout<V, D>(&self, item: V, timeout: D) -> Result<(), RemoteError>
    where
        V: Into<T>,
        D: Into<Timeout>,
    {
        let item: T = item.into();
        match self.proxy.waiting(timeout.into()) {
            (None, due) => self.proxy.fetch("put", (item,), due),
            (Some(wait), due) => self.proxy.fetch("put", (item, true, wait), due),
        }
    }

    /// Takes the first item, and waits while there is none.
    ///
    /// # Errors
    /// [`RemoteError::ShutDown`] if the queue is shut down; [`RemoteError::Empty`] if it is empty
    /// for longer than [`with_timeout`](Self::with_timeout) allows.
    ///
    /// # Blocking
    /// Without a limit but that of `with_timeout`.
    pub fn get(&self) -> Result<T, RemoteError> {
        self.get_timeout(None)
    }

    /// Takes the first item if there is one.
    ///
    /// # Errors
    /// [`RemoteError::Empty`], or as [`get`](Self::get).
    pub fn get_nowait(&self) -> Result<T, RemoteError> {
        self.proxy.call_as("get_nowait", ())
    }

    /// Takes the first item, and waits for at most `timeout` while there is none.
    ///
    /// # Errors
    /// [`RemoteError::Empty`] when the timeout has passed, [`RemoteError::Value`] if it is negative,
    /// or as [`get`](Self::get).
    pub fn get_timeout<D: Into<Timeout>>(&self, timeout: D) -> Result<T, RemoteError> {
        match self.proxy.waiting(timeout.into()) {
            (None, due) => self.proxy.fetch("get", (), due),
            (Some(wait), due) => self.proxy.fetch("get", (true, wait), due),
        }
    }

    /// How many items are in the queue.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn qsize(&self) -> Result<usize, RemoteError> {
        self.ask("qsize", ())
    }

    /// Whether the queue is empty; others may change that at once.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn empty(&self) -> Result<bool, RemoteError> {
        self.ask("empty", ())
    }

    /// Whether the queue has as many items as it may have.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn full(&self) -> Result<bool, RemoteError> {
        self.ask("full", ())
    }

    /// Says that the work for an item is done.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if that has been said of all items.
    pub fn task_done(&self) -> Result<(), RemoteError> {
        self.ask("task_done", ())
    }

    /// Waits until the work for all items is done.
    ///
    /// # Errors
    /// [`RemoteError::Unanswered`] if that takes longer than
    /// [`with_timeout`](Self::with_timeout) allows.
    ///
    /// # Blocking
    /// Without a limit but that of `with_timeout`.
    pub fn join(&self) -> Result<(), RemoteError> {
        self.ask("join", ())
    }

    /// Has every `put` fail from now on, and every `get` once the queue is empty, or at once if
    /// `immediate`; from a server of Python 3.13 on.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if the server is older.
    pub fn shutdown(&self, immediate: bool) -> Result<(), RemoteError> {
        self.ask("shutdown", (immediate,))
    }

    fn ask<R: Item, A: Serialize>(&self, method: &str, args: A) -> Result<R, RemoteError> {
        self.proxy.call_as(method, args)
    }
}
