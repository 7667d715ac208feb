//! `multiprocessing.Lock`.

use hilos_core::time::{Deadline, Timeout};
use serde::{Deserialize, Serialize};

use super::guard::{Guard, RawLock, lock_methods};
use super::repr::{debug_like_display, owner_name};
use super::word::OwnedWord;
use crate::error::Error;
use crate::handle::Handle;
use crate::life::Life;

/// A lock that one process at a time can hold and any process can release.
///
/// Use it to keep processes out of each other's way: around a file, the terminal, or what lies in
/// shared memory. A handle: clones are the same lock, in this process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Lock, Process};
///
/// fn hello(lock: Lock, i: i32) -> Result<(), multiprocessing::Error> {
///     let _held = lock.lock()?;
///     println!("hello world {i}");
///     Ok(())
/// }
///
/// let lock = Lock::new()?;
/// for i in 0..3 {
///     Process::new(hello, (lock.clone(), i)).start()?;
/// }
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - Whoever asks for a lock whose holder was killed gets [`Error::OwnerDied`]; CPython waits for
///   ever.
///
/// Mirrors [`multiprocessing.Lock`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Lock).
#[derive(Clone, Serialize, Deserialize)]
pub struct Lock {
    word: Handle<OwnedWord>,
}

impl Lock {
    /// Creates a lock that nobody holds.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            word: Handle::new()?,
        })
    }

    lock_methods!("Without a limit, also when this process holds the lock itself: a deadlock.");

    /// Releases the lock, whichever process holds it.
    ///
    /// # Errors
    /// [`Error::Value`] if nobody holds it.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        if self.word().release() {
            return Ok(());
        }
        Err(Error::Value(RELEASED_TOO_OFTEN.into()))
    }

    #[inline]
    fn word(&self) -> &OwnedWord {
        &self.word
    }

    /// Another thread may release the lock: it is lost only when the whole process is.
    #[inline]
    fn life() -> Life {
        Life::process()
    }
}

/// What CPython says of a lock or semaphore.
pub(super) const RELEASED_TOO_OFTEN: &str = "semaphore or lock released too many times";

impl RawLock for Lock {
    #[inline]
    fn acquire_until(&self, deadline: Deadline) -> Result<bool, Error> {
        self.word()
            .acquire_until(Life::thread(), Self::life(), deadline)
    }

    fn release(&self) -> Result<(), Error> {
        Self::release(self)
    }

    /// As in CPython: the thread that acquired it last, although any may release it.
    fn is_owned(&self) -> bool {
        self.word().thread() == Life::thread().id()
    }

    fn release_save(&self) -> u32 {
        u32::from(self.word().release())
    }

    fn acquire_restore(&self, _depth: u32) -> Result<(), Error> {
        self.acquire()
    }
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<Lock(owner={})>", owner_name(self.word()))
    }
}

debug_like_display!(Lock);
