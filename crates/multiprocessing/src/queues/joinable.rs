//! `multiprocessing.JoinableQueue`.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hilos_core::time::{Deadline, Timeout};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Queue;
use crate::error::Error;
use crate::life::Life;
use crate::reduction::loads;
use crate::synchronize::{Hint, Patience};
use crate::sys::futex;

/// A [`Queue`] whose items are tasks, and that can be waited for until all of them are done.
///
/// Whoever takes an item calls [`task_done`](Self::task_done) after the work on it;
/// [`join`](Self::join) waits until that has happened as often as items were put. A handle: clones
/// are the same queue, in this process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{JoinableQueue, Process};
///
/// fn worker(tasks: JoinableQueue<u32>) -> Result<(), multiprocessing::Error> {
///     loop {
///         let _task = tasks.get()?;
///         tasks.task_done()?;
///     }
/// }
///
/// let tasks = JoinableQueue::new(0)?;
/// let process = Process::new(worker, (tasks.clone(),)).with_daemon(true);
/// process.start()?;
/// for task in 0..10 {
///     tasks.put(&task)?;
/// }
/// tasks.join()?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - If a process ends, killed or not, between `get` and `task_done`, [`join`](Self::join) says so
///   by [`Error::OwnerDied`]; CPython waits for ever. Where processes call `task_done` for what
///   others got, nobody is told of any death.
/// - Otherwise as [`Queue`].
///
/// Mirrors [`multiprocessing.JoinableQueue`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.JoinableQueue).
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct JoinableQueue<T> {
    queue: Queue<T>,
    #[serde(skip)]
    hint: Arc<Hint>,
}

impl<T> JoinableQueue<T> {
    /// Creates a queue for up to `maxsize` items, or for any number if that is 0.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new(maxsize: usize) -> Result<Self, Error> {
        Ok(Self {
            queue: Queue::new(maxsize)?,
            hint: Arc::default(),
        })
    }

    /// The task of an item that was taken is done.
    ///
    /// # Errors
    /// [`Error::Value`] if it was called more often than items were put.
    pub fn task_done(&self) -> Result<(), Error> {
        let (state, put) = (self.queue.ring.state(), || self.queue.ring.put_count());
        // Items that are put meanwhile count: their tasks may be done before this one.
        let more = |done: u32| (done != put()).then(|| done.wrapping_add(1));
        let done = state
            .done
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
            .map_err(|_| Error::Value("task_done() called too many times".into()))?;
        // Somebody else's task may be meant, of one who was killed, or who handed it on.
        if !state.takers.remove(&self.hint) && !state.takers.remove_of_dead() {
            state.handed_on.store(1, Ordering::Relaxed);
        }
        if done.wrapping_add(1) == put() && state.joining.load(Ordering::SeqCst) != 0 {
            futex::wake(&state.done, u32::MAX);
        }
        Ok(())
    }

    /// Blocks until the tasks of all items are done.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if a process has ended between `get` and `task_done`: its task will not
    /// be done, unless somebody else calls `task_done` for it.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn join(&self) -> Result<(), Error> {
        self.join_until(Deadline::NEVER).map(drop)
    }

    /// Like [`join`](Self::join), and returns `false` when `timeout` has passed.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn join_timeout<D: Into<Timeout>>(&self, timeout: D) -> Result<bool, Error> {
        self.join_until(timeout.into().deadline())
    }

    fn join_until(&self, deadline: Deadline) -> Result<bool, Error> {
        let state = self.queue.ring.state();
        let mut patience = Patience::until(deadline);
        state.joining.fetch_add(1, Ordering::SeqCst);
        let result = loop {
            let done = state.done.load(Ordering::SeqCst);
            if done == self.queue.ring.put_count() {
                break Ok(true);
            }
            if patience.exhausted() {
                if let Some(life) = self.dead_taker() {
                    break Err(Error::OwnerDied(life.id()));
                }
                if deadline.passed() {
                    break Ok(false);
                }
            }
            futex::wait(&state.done, done, patience.next());
        };
        state.joining.fetch_sub(1, Ordering::Relaxed);
        result
    }

    /// A process that has ended with a task in its hands, as far as tasks are not handed on.
    fn dead_taker(&self) -> Option<Life> {
        let state = self.queue.ring.state();
        if state.handed_on.load(Ordering::Relaxed) != 0 {
            return None;
        }
        state.takers.dead()
    }
}

impl<T: DeserializeOwned> JoinableQueue<T> {
    /// As [`Queue::get`].
    ///
    /// # Errors
    /// As [`Queue::get`].
    pub fn get(&self) -> Result<T, Error> {
        self.get_until(Deadline::NEVER)
    }

    /// As [`Queue::get_nowait`].
    ///
    /// # Errors
    /// As [`Queue::get_nowait`].
    pub fn get_nowait(&self) -> Result<T, Error> {
        self.get_until(Deadline::PAST)
    }

    /// As [`Queue::get_timeout`].
    ///
    /// # Errors
    /// As [`Queue::get_timeout`].
    pub fn get_timeout<D: Into<Timeout>>(&self, timeout: D) -> Result<T, Error> {
        self.get_until(timeout.into().deadline())
    }

    fn get_until(&self, deadline: Deadline) -> Result<T, Error> {
        let takers = &self.queue.ring.state().takers;
        // Whoever is killed in between may be said to have had a task that is still there; the
        // other way round, a task would be lost and nobody told.
        let note = || {
            takers.add(&self.hint);
        };
        let bytes = self.queue.take_until(deadline, note)?;
        loads(&bytes, Vec::new())
    }
}

impl<T> Deref for JoinableQueue<T> {
    type Target = Queue<T>;

    fn deref(&self) -> &Queue<T> {
        &self.queue
    }
}

impl<T> Clone for JoinableQueue<T> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            hint: self.hint.clone(),
        }
    }
}

impl<T> fmt::Debug for JoinableQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<multiprocessing.queues.JoinableQueue>")
    }
}
