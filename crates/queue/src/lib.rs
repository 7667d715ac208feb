//! Python's `queue` module in Rust.
//!
//! | Python | here |
//! |---|---|
//! | `Queue(maxsize)`, `LifoQueue`, `PriorityQueue` | [`Queue::new(maxsize)`](Queue), [`LifoQueue`], [`PriorityQueue`] |
//! | `SimpleQueue()` | [`SimpleQueue`] |
//! | `q.put(item)`, `q.put(item, timeout=2)`, `q.put_nowait(item)` | `q.put(item)?`, `q.put_timeout(item, 2)?`, `q.put_nowait(item)?` |
//! | `q.get()`, `q.get(timeout=2)`, `q.get_nowait()` | `q.get()?`, `q.get_timeout(2)?`, `q.get_nowait()?` |
//! | `except queue.Empty:` | `Err(queue::Empty)` |
//! | `except queue.Full:` | `Err(queue::Full(item))` |
//! | `except queue.ShutDown:` | `Err(queue::ShutDown)` of a get, `Err(PutError::ShutDown(item))` of a put |
//!
//! A queue is a handle: clones are the same queue, as Python's references are, and an item needs
//! nothing but [`Send`]. Beyond Python, a queue can be iterated over until it is shut down.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod base;
mod error;
mod iter;
mod simple;
mod storage;

pub use base::{BaseQueue, LifoQueue, PriorityQueue, Queue};
pub use error::GetError::{Empty, ShutDown};
pub use error::PutError::Full;
pub use error::{GetError, PutError, ValueError};
pub use hilos_core::time::{InvalidTimeout, Timeout};
pub use iter::{IntoIter, Iter, TryIter};
pub use simple::SimpleQueue;
pub use storage::{Fifo, Lifo, Priority, Storage};
