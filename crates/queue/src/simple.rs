//! `queue.SimpleQueue`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use hilos_core::sync::{Condvar, Mutex, SpinWait};
use hilos_core::time::{Deadline, Timeout};

use crate::error::GetError;

/// A queue without a bound, without tasks to count and without an end.
///
/// Use it to hand items to other threads when nothing else is asked for: putting never blocks and
/// never fails.
///
/// ```
/// use hilos_queue::SimpleQueue;
///
/// let queue = SimpleQueue::new();
/// queue.put(1);
/// queue.put(2);
/// assert_eq!(queue.get(), 1);
/// assert_eq!(queue.get_timeout(0.5), Ok(2));
/// assert_eq!(queue.get_nowait(), Err(hilos_queue::Empty));
/// ```
///
/// # Differences from Python
/// - `get(block, timeout)` is `get`, `get_timeout` and `get_nowait`.
/// - `put`'s `block` and `timeout`, which do nothing in Python, are left out; `put_nowait` is
///   another name of `put`, as there.
///
/// Mirrors [`queue.SimpleQueue`](https://docs.python.org/3.14/library/queue.html#queue.SimpleQueue).
pub struct SimpleQueue<T> {
    shared: Arc<Shared<T>>,
}

/// Two halves, so that those who put and those who get seldom meet: when the front is used up,
/// whoever gets next swaps it with the back. Both are locked in this order: front, back.
struct Shared<T> {
    front: Padded<Mutex<VecDeque<T>>>,
    back: Padded<Mutex<VecDeque<T>>>,
    /// Told when an item was put.
    not_empty: Condvar,
}

/// Keeps the halves out of each other's cache lines.
#[repr(align(128))]
struct Padded<T>(T);

impl<T> SimpleQueue<T> {
    /// Creates a queue.
    pub fn new() -> Self {
        let half = || Padded(Mutex::new(VecDeque::new()));
        let shared = Shared {
            front: half(),
            back: half(),
            not_empty: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Puts an item; never blocks.
    pub fn put(&self, item: T) {
        self.shared.back.0.lock().push_back(item);
        self.shared.not_empty.notify_one();
    }

    /// Puts an item, as [`put`](Self::put) does.
    pub fn put_nowait(&self, item: T) {
        self.put(item);
    }

    /// Gets the next item, and blocks while there is none.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn get(&self) -> T {
        self.get_until(Deadline::NEVER)
            .expect("waits until there is an item")
    }

    /// Gets the next item if there is one now.
    ///
    /// # Errors
    /// [`GetError::Empty`].
    pub fn get_nowait(&self) -> Result<T, GetError> {
        self.get_until(Deadline::PAST).ok_or(GetError::Empty)
    }

    /// Gets the next item, and gives up when there is still none after `timeout`.
    ///
    /// # Errors
    /// [`GetError`] if the queue stays empty, or if the timeout is negative, NaN or too long.
    pub fn get_timeout<D: Into<Timeout>>(&self, timeout: D) -> Result<T, GetError> {
        let deadline = timeout.into().checked().map_err(GetError::Timeout)?;
        self.get_until(deadline).ok_or(GetError::Empty)
    }

    /// How many items there are, as long as no other thread puts or gets one.
    pub fn qsize(&self) -> usize {
        let front = self.shared.front.0.lock();
        front.len() + self.shared.back.0.lock().len()
    }

    /// Whether there are no items, as long as no other thread puts one.
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    fn get_until(&self, deadline: Deadline) -> Option<T> {
        let mut spin = SpinWait::new();
        loop {
            if let Some(item) = self.take() {
                return Some(item);
            }
            if deadline.is_past() {
                return None;
            }
            if !spin.spin() {
                if !self.wait(deadline) {
                    return self.take();
                }
                spin.reset();
            }
        }
    }

    /// Takes the next item, out of the back if the front is used up.
    fn take(&self) -> Option<T> {
        let mut front = self.shared.front.0.lock();
        if front.is_empty() {
            std::mem::swap(&mut *front, &mut *self.shared.back.0.lock());
        }
        front.pop_front()
    }

    /// Waits until an item is put, if none is there; `false` when `deadline` has passed before.
    fn wait(&self, deadline: Deadline) -> bool {
        let front = self.shared.front.0.lock();
        let mut back = self.shared.back.0.lock();
        if !front.is_empty() || !back.is_empty() {
            return true;
        }
        // Only through the back, which stays locked until this thread waits, can the front fill.
        drop(front);
        match deadline.instant() {
            None => {
                self.shared.not_empty.wait(&mut back);
                true
            }
            Some(moment) => !self
                .shared
                .not_empty
                .wait_until(&mut back, moment)
                .timed_out(),
        }
    }
}

impl<T> Clone for SimpleQueue<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<T> Default for SimpleQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for SimpleQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleQueue")
            .field("qsize", &self.qsize())
            .finish()
    }
}
