//! `queue.Queue`, `queue.LifoQueue` and `queue.PriorityQueue`: one body, three orders.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use hilos_core::sync::atomic::{AtomicUsize, Ordering};
use hilos_core::sync::{Condvar, Mutex, MutexGuard, SpinWait};
use hilos_core::time::{Deadline, Timeout};

use crate::error::{GetError, PutError, ValueError};
use crate::iter::{Iter, TryIter};
use crate::storage::{Fifo, Lifo, Priority, Storage};

/// A queue that threads put items into and get them from, first in, first out.
///
/// Use it to hand work from some threads to others, with a bound on how much may wait, with
/// [`join`](BaseQueue::join) to wait until all of it is done, and with
/// [`shutdown`](BaseQueue::shutdown) to end. Where none of these is needed,
/// [`SimpleQueue`](crate::SimpleQueue) is faster.
///
/// ```
/// use std::thread;
/// use hilos_queue as queue;
/// use queue::Queue;
///
/// let orders = Queue::new(0);
/// let waiter = thread::spawn({
///     let orders = orders.clone();
///     move || {
///         let mut served = Vec::new();
///         for order in &orders {
///             served.push(order);
///             orders.task_done().unwrap();
///         }
///         served // the queue was shut down
///     }
/// });
/// orders.put("paella")?;
/// orders.put("flan")?;
/// orders.join();
/// orders.shutdown(false);
/// assert_eq!(waiter.join().unwrap(), ["paella", "flan"]);
/// # Ok::<(), queue::PutError<&str>>(())
/// ```
///
/// # Differences from Python
/// - `put(item, block, timeout)` is `put`, `put_timeout` and `put_nowait`; `get` likewise.
/// - A timeout that is not valid is always refused, where Python may not look at it if the call
///   need not wait.
/// - `maxsize` is 0 for no bound, never negative.
///
/// Mirrors [`queue.Queue`](https://docs.python.org/3.14/library/queue.html#queue.Queue).
pub type Queue<T> = BaseQueue<T, Fifo<T>>;

/// A queue that gives back last what was put in first.
///
/// ```
/// use hilos_queue::LifoQueue;
///
/// let stack = LifoQueue::new(0);
/// stack.put(1).unwrap();
/// stack.put(2).unwrap();
/// assert_eq!(stack.get(), Ok(2));
/// ```
///
/// # Differences from Python
/// As for [`Queue`].
///
/// Mirrors [`queue.LifoQueue`](https://docs.python.org/3.14/library/queue.html#queue.LifoQueue).
pub type LifoQueue<T> = BaseQueue<T, Lifo<T>>;

/// A queue that gives back its least item first.
///
/// Items of one rank come in no particular order; put a number into a tuple to give them one.
///
/// ```
/// use hilos_queue::PriorityQueue;
///
/// let queue = PriorityQueue::new(0);
/// queue.put((2, "code")).unwrap();
/// queue.put((1, "eat")).unwrap();
/// assert_eq!(queue.get(), Ok((1, "eat")));
/// ```
///
/// # Differences from Python
/// As for [`Queue`]; items must be [`Ord`], so that comparing them cannot fail.
///
/// Mirrors [`queue.PriorityQueue`](https://docs.python.org/3.14/library/queue.html#queue.PriorityQueue).
pub type PriorityQueue<T> = BaseQueue<T, Priority<T>>;

/// The body of [`Queue`], [`LifoQueue`] and [`PriorityQueue`], over an order of its own.
pub struct BaseQueue<T, S> {
    shared: Arc<Shared<T, S>>,
}

struct Shared<T, S> {
    state: Mutex<State<S>>,
    /// Told when an item was put, and when the queue was shut down.
    not_empty: Condvar,
    /// Told when there is room, and when the queue was shut down.
    not_full: Condvar,
    /// Told when no task is unfinished.
    all_tasks_done: Condvar,
    /// The number of items and the bound as of late, for threads that spin before they sleep.
    qsize_hint: AtomicUsize,
    maxsize_hint: AtomicUsize,
    items: PhantomData<fn(T) -> T>,
}

struct State<S> {
    storage: S,
    /// 0 for no bound.
    maxsize: usize,
    /// Items that were put and not reported done.
    unfinished: usize,
    is_shutdown: bool,
}

impl<T> Queue<T> {
    /// Creates a queue for up to `maxsize` items, for any number if it is 0.
    pub fn new(maxsize: usize) -> Self {
        Self::with_storage(Fifo::default(), maxsize)
    }
}

impl<T> LifoQueue<T> {
    /// Creates a queue for up to `maxsize` items, for any number if it is 0.
    pub fn new(maxsize: usize) -> Self {
        Self::with_storage(Lifo::default(), maxsize)
    }
}

impl<T: Ord> PriorityQueue<T> {
    /// Creates a queue for up to `maxsize` items, for any number if it is 0.
    pub fn new(maxsize: usize) -> Self {
        Self::with_storage(Priority::default(), maxsize)
    }
}

impl<T, S: Storage<T>> BaseQueue<T, S> {
    /// Creates a queue that keeps its items in `storage`, up to `maxsize` of them if it is not 0.
    pub fn with_storage(storage: S, maxsize: usize) -> Self {
        let qsize_hint = AtomicUsize::new(storage.qsize());
        let state = State {
            storage,
            maxsize,
            unfinished: 0,
            is_shutdown: false,
        };
        let shared = Shared {
            state: Mutex::new(state),
            not_empty: Condvar::new(),
            not_full: Condvar::new(),
            all_tasks_done: Condvar::new(),
            qsize_hint,
            maxsize_hint: AtomicUsize::new(maxsize),
            items: PhantomData,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Puts an item, and blocks while the queue is full.
    ///
    /// # Errors
    /// [`PutError::ShutDown`] with the item if the queue is or becomes shut down.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        self.put_until(item, Deadline::NEVER)
    }

    /// Puts an item if there is room now.
    ///
    /// # Errors
    /// [`PutError::Full`] or [`PutError::ShutDown`] with the item.
    pub fn put_nowait(&self, item: T) -> Result<(), PutError<T>> {
        self.put_until(item, Deadline::PAST)
    }

    /// Puts an item, and gives up when the queue is still full after `timeout`.
    ///
    /// # Errors
    /// [`PutError`] with the item if the queue stays full or is shut down, or if the timeout is
    /// negative, NaN or too long.
    pub fn put_timeout<D: Into<Timeout>>(&self, item: T, timeout: D) -> Result<(), PutError<T>> {
        match timeout.into().checked() {
            Ok(deadline) => self.put_until(item, deadline),
            Err(invalid) => Err(PutError::Timeout(item, invalid)),
        }
    }

    /// Gets the next item, and blocks while there is none.
    ///
    /// # Errors
    /// [`GetError::ShutDown`] if the queue is or becomes shut down and has no items left.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn get(&self) -> Result<T, GetError> {
        self.get_until(Deadline::NEVER, || true)
    }

    /// Gets the next item if there is one now.
    ///
    /// # Errors
    /// [`GetError::Empty`], or [`GetError::ShutDown`] if there will be none any more.
    pub fn get_nowait(&self) -> Result<T, GetError> {
        self.get_until(Deadline::PAST, || true)
    }

    /// Gets the next item, and gives up when there is still none after `timeout`.
    ///
    /// # Errors
    /// [`GetError`] if the queue stays empty or is shut down, or if the timeout is negative, NaN
    /// or too long.
    pub fn get_timeout<D: Into<Timeout>>(&self, timeout: D) -> Result<T, GetError> {
        let deadline = timeout.into().checked().map_err(GetError::Timeout)?;
        self.get_until(deadline, || true)
    }

    /// Like [`get_timeout`](Self::get_timeout), but leaves an item for which it has had to wait to others if it is not
    /// wanted any more: for a server that gets for clients, who may be gone. It is then [`GetError::Empty`].
    ///
    /// `is_wanted` is called under the queue's lock: it must not use the queue.
    #[doc(hidden)]
    pub fn get_if<D: Into<Timeout>>(
        &self,
        timeout: D,
        is_wanted: impl Fn() -> bool,
    ) -> Result<T, GetError> {
        let deadline = timeout.into().checked().map_err(GetError::Timeout)?;
        self.get_until(deadline, is_wanted)
    }

    /// Says that the work on one item that was got is done.
    ///
    /// # Errors
    /// [`ValueError`] if it is said more often than items were put; nothing has changed then.
    pub fn task_done(&self) -> Result<(), ValueError> {
        let mut state = self.shared.state.lock();
        state.unfinished = state.unfinished.checked_sub(1).ok_or(ValueError)?;
        if state.unfinished == 0 {
            self.shared.all_tasks_done.notify_all();
        }
        Ok(())
    }

    /// Blocks until every item that was put has been got and reported [done](Self::task_done).
    ///
    /// # Blocking
    /// Without a limit.
    pub fn join(&self) {
        self.join_until(Deadline::NEVER);
    }

    /// Like [`join`](Self::join), or `false` if work is left when `timeout` has passed.
    ///
    /// A negative timeout does not block. Python has no such call.
    #[must_use]
    pub fn join_timeout<D: Into<Timeout>>(&self, timeout: D) -> bool {
        self.join_until(timeout.into().deadline())
    }

    /// How many items there are, as long as no other thread puts or gets one.
    pub fn qsize(&self) -> usize {
        self.shared.state.lock().storage.qsize()
    }

    /// Whether there are no items, as long as no other thread puts one.
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Whether there is no room, as long as no other thread gets an item.
    pub fn full(&self) -> bool {
        !self.shared.state.lock().has_room()
    }

    /// How many items the queue has room for, 0 for any number.
    pub fn maxsize(&self) -> usize {
        self.shared.state.lock().maxsize
    }

    /// Changes how many items the queue has room for, 0 for any number.
    ///
    /// Items beyond a smaller bound stay.
    pub fn set_maxsize(&self, maxsize: usize) {
        let mut state = self.shared.state.lock();
        state.maxsize = maxsize;
        self.shared.maxsize_hint.store(maxsize, Ordering::Relaxed);
        self.shared.not_full.notify_all();
    }

    /// Ends the queue: every later or waiting `put` fails, and every `get` once it is empty.
    ///
    /// If `immediate`, the items are dropped and count as done, so that [`join`](Self::join)
    /// waits for the items that were got already and for no others. May be called again.
    pub fn shutdown(&self, immediate: bool) {
        let mut dropped = Vec::new();
        let mut state = self.shared.state.lock();
        state.is_shutdown = true;
        // Told first, because the storage may panic; they look when the lock is free.
        self.shared.not_empty.notify_all();
        self.shared.not_full.notify_all();
        if immediate {
            self.shared.all_tasks_done.notify_all();
            while let Some(item) = state.storage.get() {
                dropped.push(item);
                state.unfinished = state.unfinished.saturating_sub(1);
            }
            self.note_qsize(&state);
        }
        drop(state);
        // Dropped without the lock: an item may use the queue in its destructor.
        drop(dropped);
    }

    /// Whether the queue is shut down.
    pub fn is_shutdown(&self) -> bool {
        self.shared.state.lock().is_shutdown
    }

    /// Looks at the items that wait, while nobody puts or gets any; Python's attributes `queue` and
    /// `mutex`.
    ///
    /// `look` is called under the queue's lock: it must not use the queue.
    ///
    /// ```
    /// use hilos_queue::Queue;
    ///
    /// let queue = Queue::new(0);
    /// queue.put("a")?;
    /// queue.put("b")?;
    /// let waiting: Vec<&str> = queue.inspect(|items| items.iter().copied().collect());
    /// assert_eq!(waiting, ["a", "b"]);
    /// # Ok::<(), hilos_queue::PutError<&str>>(())
    /// ```
    pub fn inspect<R, F: FnOnce(&S) -> R>(&self, look: F) -> R {
        look(&self.shared.state.lock().storage)
    }

    /// Iterates over the items, waiting for each, until the queue is shut down and empty.
    pub fn iter(&self) -> Iter<'_, T, S> {
        Iter::new(self)
    }

    /// Iterates over the items that there are, without waiting.
    pub fn try_iter(&self) -> TryIter<'_, T, S> {
        TryIter::new(self)
    }

    fn put_until(&self, item: T, deadline: Deadline) -> Result<(), PutError<T>> {
        self.spin(deadline, |qsize, maxsize| maxsize != 0 && qsize >= maxsize);
        let mut state = self.shared.state.lock();
        let mut expired = false;
        loop {
            if state.is_shutdown {
                return Err(PutError::ShutDown(item));
            }
            if state.has_room() {
                break;
            }
            if expired {
                return Err(PutError::Full(item));
            }
            expired = !wait(&self.shared.not_full, &mut state, deadline);
        }
        state.storage.put(item);
        state.unfinished += 1;
        self.note_qsize(&state);
        drop(state);
        self.shared.not_empty.notify_one();
        Ok(())
    }

    fn get_until(&self, deadline: Deadline, is_wanted: impl Fn() -> bool) -> Result<T, GetError> {
        self.spin(deadline, |qsize, _| qsize == 0);
        let mut state = self.shared.state.lock();
        let (mut has_waited, mut expired) = (false, false);
        loop {
            if has_waited && !is_wanted() {
                // The item's news came here, and are for the next who waits.
                self.shared.not_empty.notify_one();
                return Err(GetError::Empty);
            }
            if let Some(item) = state.storage.get() {
                self.note_qsize(&state);
                let room = state.has_room();
                drop(state);
                if room {
                    self.shared.not_full.notify_one();
                }
                return Ok(item);
            }
            if state.is_shutdown {
                return Err(GetError::ShutDown);
            }
            if expired {
                return Err(GetError::Empty);
            }
            has_waited = !deadline.is_past();
            expired = !wait(&self.shared.not_empty, &mut state, deadline);
        }
    }

    fn join_until(&self, deadline: Deadline) -> bool {
        let mut state = self.shared.state.lock();
        while state.unfinished > 0 {
            if !wait(&self.shared.all_tasks_done, &mut state, deadline) {
                return state.unfinished == 0;
            }
        }
        true
    }

    /// Gives another thread a moment to make the queue ready before this one goes to sleep.
    fn spin(&self, deadline: Deadline, not_ready: impl Fn(usize, usize) -> bool) {
        let (qsize, maxsize) = (&self.shared.qsize_hint, &self.shared.maxsize_hint);
        let mut spin = SpinWait::new();
        while not_ready(
            qsize.load(Ordering::Relaxed),
            maxsize.load(Ordering::Relaxed),
        ) && !deadline.is_past()
            && spin.spin()
        {}
    }

    fn note_qsize(&self, state: &State<S>) {
        self.shared
            .qsize_hint
            .store(state.storage.qsize(), Ordering::Relaxed);
    }
}

impl<S> State<S> {
    fn has_room<T>(&self) -> bool
    where
        S: Storage<T>,
    {
        self.maxsize == 0 || self.storage.qsize() < self.maxsize
    }
}

/// Waits until `changed` is told; `false` when `deadline` has passed before.
fn wait<S>(changed: &Condvar, state: &mut MutexGuard<'_, State<S>>, deadline: Deadline) -> bool {
    match deadline.instant() {
        _ if deadline.is_past() => false,
        None => {
            changed.wait(state);
            true
        }
        Some(moment) => !changed.wait_until(state, moment).timed_out(),
    }
}

impl<T, S> Clone for BaseQueue<T, S> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<T, S: Storage<T> + Default> Default for BaseQueue<T, S> {
    /// A queue without a bound, Python's `Queue()`.
    fn default() -> Self {
        Self::with_storage(S::default(), 0)
    }
}

impl<T, S: Storage<T>> fmt::Debug for BaseQueue<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state.lock();
        let (qsize, maxsize) = (state.storage.qsize(), state.maxsize);
        let (unfinished, is_shutdown) = (state.unfinished, state.is_shutdown);
        // Written without the lock: what is written to may use the queue.
        drop(state);
        f.debug_struct("Queue")
            .field("qsize", &qsize)
            .field("maxsize", &maxsize)
            .field("unfinished_tasks", &unfinished)
            .field("is_shutdown", &is_shutdown)
            .finish()
    }
}
