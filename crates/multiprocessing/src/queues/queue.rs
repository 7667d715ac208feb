//! `multiprocessing.Queue`.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hilos_core::time::{Deadline, Timeout};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ring::Ring;
use crate::error::Error;
use crate::reduction::{dumps, loads};

/// A first-in, first-out queue of values between processes.
///
/// Use it to hand work or results from any number of processes to any number of others. A handle:
/// clones are the same queue, in this process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Process, Queue};
///
/// fn child(queue: Queue<(i32, Option<i32>, String)>) -> Result<(), multiprocessing::Error> {
///     queue.put(&(42, None, "hello".to_string()))
/// }
///
/// let queue = Queue::new(0)?;
/// let process = Process::new(child, (queue.clone(),));
/// process.start()?;
/// assert_eq!(queue.get()?, (42, None, "hello".to_string()));
/// # process.join(None)?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - There is no feeder thread: when [`put`](Self::put) returns, the item is in the queue for all,
///   a process can be joined before the queue is empty, and nothing is lost by
///   [`cancel_join_thread`](Self::cancel_join_thread). A value that will not serialise is an error
///   of `put`, where CPython prints a traceback and drops it.
/// - Locks, queues and connections do not travel through a queue: pass them as arguments of a
///   process, or through a [`Connection`](crate::connection::Connection).
/// - `put(x, block=False)` is [`put_nowait`](Self::put_nowait), `put(x, timeout=1)` is
///   [`put_timeout`](Self::put_timeout), and likewise for `get`.
///
/// Mirrors [`multiprocessing.Queue`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Queue).
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Queue<T> {
    pub(super) ring: Ring,
    /// Of this process.
    #[serde(skip)]
    closed: Arc<AtomicBool>,
    items: PhantomData<fn(T) -> T>,
}

impl<T> Queue<T> {
    /// Creates a queue for up to `maxsize` items, or for any number if that is 0.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new(maxsize: usize) -> Result<Self, Error> {
        Ok(Self {
            ring: Ring::new(maxsize)?,
            closed: Arc::default(),
            items: PhantomData,
        })
    }

    /// How many items are in the queue.
    pub fn qsize(&self) -> usize {
        self.ring.len()
    }

    /// Whether the queue is empty; another process may change that at once.
    ///
    /// A closed queue tells as well; in CPython that depends on whether it was used before.
    pub fn empty(&self) -> bool {
        self.ring.len() == 0
    }

    /// Whether the queue has as many items as it may have.
    pub fn full(&self) -> bool {
        self.ring.is_full()
    }

    /// This process uses the queue no more: every later `put` and `get` of all its handles is an
    /// error. Other processes go on.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Waits for nothing, as there is no feeder thread; the queue must be closed, as in Python.
    ///
    /// # Errors
    /// [`Error::Assertion`] if it is not.
    pub fn join_thread(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(Error::Assertion("the queue is not closed"))
    }

    /// Does nothing, as there is no feeder thread to wait for.
    pub fn cancel_join_thread(&self) {}

    /// Takes the first item as it has travelled, and calls `note` just before.
    pub(super) fn take_until(&self, deadline: Deadline, note: impl Fn()) -> Result<Vec<u8>, Error> {
        self.check_open()?;
        self.ring.get(deadline, note)
    }

    fn check_open(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Value(format!("Queue {self} is closed")));
        }
        Ok(())
    }
}

impl<T: Serialize> Queue<T> {
    /// Puts an item at the end, when there is a place for it.
    ///
    /// # Errors
    /// [`Error::Encoding`] if the item cannot travel, [`Error::Value`] if the queue is
    /// [closed](Self::close), [`Error::Os`] if the system has no memory left.
    ///
    /// # Blocking
    /// While the queue is full; never if it has no `maxsize`.
    pub fn put(&self, item: &T) -> Result<(), Error> {
        self.put_until(item, Deadline::NEVER)
    }

    /// Puts an item if there is a place for it.
    ///
    /// # Errors
    /// [`Error::Full`], and those of [`put`](Self::put).
    pub fn put_nowait(&self, item: &T) -> Result<(), Error> {
        self.put_until(item, Deadline::PAST)
    }

    /// Puts an item, unless there is no place for it until `timeout` has passed.
    ///
    /// # Errors
    /// [`Error::Full`], and those of [`put`](Self::put).
    pub fn put_timeout<D: Into<Timeout>>(&self, item: &T, timeout: D) -> Result<(), Error> {
        self.put_until(item, timeout.into().deadline())
    }

    pub(super) fn put_until(&self, item: &T, deadline: Deadline) -> Result<(), Error> {
        self.check_open()?;
        let message = dumps(item)?;
        if !message.fds.is_empty() {
            let hint = "a queue lets no lock, queue or connection through; pass it as an argument \
                        of a process, or through a Connection";
            return Err(Error::encoding::<T>(hint));
        }
        self.ring.put(&message.bytes, deadline)
    }
}

impl<T: DeserializeOwned> Queue<T> {
    /// Takes the first item, when there is one.
    ///
    /// # Errors
    /// [`Error::Value`] if the queue is [closed](Self::close), [`Error::Encoding`] if the item is
    /// no `T`, which costs this item alone.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn get(&self) -> Result<T, Error> {
        self.get_until(Deadline::NEVER)
    }

    /// Takes the first item if there is one.
    ///
    /// # Errors
    /// [`Error::Empty`], and those of [`get`](Self::get).
    pub fn get_nowait(&self) -> Result<T, Error> {
        self.get_until(Deadline::PAST)
    }

    /// Takes the first item, unless there is none until `timeout` has passed.
    ///
    /// # Errors
    /// [`Error::Empty`], and those of [`get`](Self::get).
    pub fn get_timeout<D: Into<Timeout>>(&self, timeout: D) -> Result<T, Error> {
        self.get_until(timeout.into().deadline())
    }

    fn get_until(&self, deadline: Deadline) -> Result<T, Error> {
        loads(&self.take_until(deadline, || ())?, Vec::new())
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            ring: self.ring.clone(),
            closed: self.closed.clone(),
            items: PhantomData,
        }
    }
}

impl<T> fmt::Display for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = std::ptr::from_ref(self.ring.state()).addr();
        write!(f, "<multiprocessing.queues.Queue object at {place:#x}>")
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
