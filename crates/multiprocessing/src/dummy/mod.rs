//! `multiprocessing.dummy`: this module's interface, over threads.
//!
//! Use it to try a program of processes with threads, or where memory has to be shared after all:
//! change what is imported, and nothing else that Python's module has.
//!
//! ```
//! use hilos_multiprocessing::dummy as multiprocessing;
//! use multiprocessing::{Process, Queue};
//!
//! let queue = Queue::new(0);
//! let theirs = queue.clone();
//! let process = Process::new(move || theirs.put("hello").unwrap());
//! process.start()?;
//! assert_eq!(queue.get().unwrap(), "hello");
//! process.join(None)?;
//! assert_eq!(process.exitcode(), Some(0));
//! # Ok::<(), hilos_threading::Error>(())
//! ```
//!
//! # Differences from Python
//! - `Manager()`, `list` and `dict` have no use here: an `Arc` with a lock shares any value.
//! - [`Value`] and [`Array`] have a lock inside; Python's have none.
//!
//! Mirrors [`multiprocessing.dummy`](https://docs.python.org/3.14/library/multiprocessing.html#module-multiprocessing.dummy).

mod connection;
mod process;
mod shared;

pub use connection::{Connection, pipe};
pub use hilos_queue::Queue;
pub use hilos_threading::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore,
    current_thread as current_process,
};
pub use process::{Process, active_children};
pub use shared::{Array, Value};

pub use crate::context::freeze_support;
pub use crate::pool::ThreadPool as Pool;

/// Python's `JoinableQueue`: every [`Queue`] between threads can be joined.
pub type JoinableQueue<T> = Queue<T>;
