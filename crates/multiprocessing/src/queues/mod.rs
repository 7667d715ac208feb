//! Queues between processes: Python's `multiprocessing.queues`.
//!
//! The items lie in shared memory that grows as they need it, so that `put` never waits for a
//! reader and needs no thread: when it returns, the item is there for every process, even if this
//! one is killed the next moment. A process that is killed inside `put` or `get` has put or got its
//! item, or has not; the queue goes on either way.

mod joinable;
mod queue;
mod ring;
mod side;
mod simple;

pub use joinable::JoinableQueue;
pub use queue::Queue;
pub use simple::SimpleQueue;
