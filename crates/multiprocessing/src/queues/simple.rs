//! `multiprocessing.SimpleQueue`.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Queue;
use crate::error::Error;

/// A queue of values between processes, with only what is needed most.
///
/// Use it where `put` and `get` are all you want; [`Queue`] has timeouts and a size. A handle:
/// clones are the same queue, in this process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::SimpleQueue;
///
/// let queue = SimpleQueue::new()?;
/// queue.put(&1)?;
/// assert_eq!(queue.get()?, 1);
/// assert!(queue.empty()?);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `put` never waits for a reader; CPython's does when the pipe is full.
///
/// Mirrors [`multiprocessing.SimpleQueue`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.SimpleQueue).
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct SimpleQueue<T>(Queue<T>);

impl<T> SimpleQueue<T> {
    /// Creates a queue.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new() -> Result<Self, Error> {
        Queue::new(0).map(Self)
    }

    /// Whether the queue is empty; another process may change that at once.
    ///
    /// # Errors
    /// [`Error::Os`] if this process has [closed](Self::close) the queue.
    pub fn empty(&self) -> Result<bool, Error> {
        self.check_open()?;
        Ok(self.0.empty())
    }

    /// This process uses the queue no more: every later call of all its handles is an error.
    pub fn close(&self) {
        self.0.close();
    }

    fn check_open(&self) -> Result<(), Error> {
        match self.0.join_thread() {
            Ok(()) => Err(Error::os("handle is closed")),
            Err(_) => Ok(()),
        }
    }
}

impl<T: Serialize> SimpleQueue<T> {
    /// Puts an item at the end.
    ///
    /// # Errors
    /// [`Error::Encoding`] if the item cannot travel, [`Error::Os`] if this process has
    /// [closed](Self::close) the queue or the system has no memory left.
    pub fn put(&self, item: &T) -> Result<(), Error> {
        self.check_open()?;
        self.0.put(item)
    }
}

impl<T: DeserializeOwned> SimpleQueue<T> {
    /// Takes the first item, when there is one.
    ///
    /// # Errors
    /// [`Error::Os`] if this process has [closed](Self::close) the queue, [`Error::Encoding`] if
    /// the item is no `T`.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn get(&self) -> Result<T, Error> {
        self.check_open()?;
        self.0.get()
    }
}

impl<T> Clone for SimpleQueue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for SimpleQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<multiprocessing.queues.SimpleQueue>")
    }
}
