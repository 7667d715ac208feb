//! Locks, events and barriers for several processes: Python's `multiprocessing.synchronize`.
//!
//! Each is a handle: clones are the same lock, and what arrives in another process, as an argument
//! or through a [`Connection`](crate::connection::Connection), is it too. A lock takes one page of
//! memory and one descriptor, has no name in the system, and is gone when its last handle is.
//!
//! Where Python waits for ever, because the process that holds a lock was killed, the next one
//! that asks for it is told: [`Error::OwnerDied`](crate::Error::OwnerDied). It can then look at
//! what the lock guards and take the lock over with `recover`.

mod barrier;
mod condition;
mod event;
mod guard;
mod holders;
mod lock;
mod patience;
mod repr;
mod rlock;
mod semaphore;
mod waiters;
mod word;

pub use barrier::Barrier;
pub use condition::Condition;
pub use event::Event;
pub use guard::{Guard, RawLock};
pub use lock::Lock;
pub use rlock::RLock;
pub use semaphore::{BoundedSemaphore, Semaphore, SemaphoreGuard};

pub(crate) use holders::{Hint, Holders};
pub(crate) use patience::Patience;
pub(crate) use word::OwnedWord;
