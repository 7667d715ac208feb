//! `multiprocessing.RLock`.

use std::sync::atomic::Ordering;

use hilos_core::time::{Deadline, Timeout};
use serde::{Deserialize, Serialize};

use super::guard::{Guard, RawLock, lock_methods};
use super::repr::{debug_like_display, owner_name};
use super::word::OwnedWord;
use crate::error::Error;
use crate::handle::Handle;
use crate::life::Life;

/// A lock that its holder can acquire again, and must release as often.
///
/// Use it where functions that need the lock call each other. A handle: clones are the same lock, in
/// this process and in others. A thread holds it, not a process.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::RLock;
///
/// let lock = RLock::new()?;
/// lock.acquire()?;
/// lock.acquire()?;
/// lock.release()?;
/// assert!(lock.locked());
/// lock.release()?;
/// assert!(lock.release().is_err());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - Whoever asks for a lock whose holder was killed, or whose holding thread has ended, gets
///   [`Error::OwnerDied`]; CPython waits for ever.
///
/// Mirrors [`multiprocessing.RLock`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.RLock).
#[derive(Clone, Serialize, Deserialize)]
pub struct RLock {
    word: Handle<OwnedWord>,
}

impl RLock {
    /// Creates a lock that nobody holds.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            word: Handle::new()?,
        })
    }

    lock_methods!("Without a limit, unless this thread holds the lock.");

    /// Releases the lock, once.
    ///
    /// # Errors
    /// [`Error::Assertion`] if the current thread does not hold it.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        if !self.is_owned() {
            let text = "attempt to release recursive lock not owned by thread";
            return Err(Error::Assertion(text));
        }
        if self.word().depth.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.word().release();
        }
        Ok(())
    }

    #[inline]
    fn word(&self) -> &OwnedWord {
        &self.word
    }

    /// Only its thread can release the lock: it is lost when that is.
    #[inline]
    fn life() -> Life {
        Life::thread()
    }

    fn depth(&self) -> u32 {
        self.word().depth.load(Ordering::Relaxed)
    }
}

impl RawLock for RLock {
    #[inline]
    fn acquire_until(&self, deadline: Deadline) -> Result<bool, Error> {
        let (word, me) = (self.word(), Life::thread());
        if word.owner() == Some(me) {
            word.depth.fetch_add(1, Ordering::Relaxed);
            return Ok(true);
        }
        let acquired = word.acquire_until(me, me, deadline)?;
        if acquired {
            word.depth.store(1, Ordering::Relaxed);
        }
        Ok(acquired)
    }

    fn release(&self) -> Result<(), Error> {
        Self::release(self)
    }

    /// By its life: its number may have been that of a thread that ended holding the lock.
    #[inline]
    fn is_owned(&self) -> bool {
        self.word().owner() == Some(Life::thread())
    }

    fn release_save(&self) -> u32 {
        let depth = self.depth();
        self.word().release();
        depth
    }

    fn acquire_restore(&self, depth: u32) -> Result<(), Error> {
        self.acquire()?;
        self.word().depth.store(depth, Ordering::Relaxed);
        Ok(())
    }
}

impl std::fmt::Display for RLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let owner = owner_name(self.word());
        let count = match owner.as_str() {
            "None" => "0".to_string(),
            "SomeOtherThread" | "SomeOtherProcess" => "nonzero".to_string(),
            _ => self.depth().to_string(),
        };
        write!(f, "<RLock({owner}, {count})>")
    }
}

debug_like_display!(RLock);
