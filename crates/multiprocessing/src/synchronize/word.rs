//! The word that a lock of several processes consists of.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytemuck::Zeroable;
use hilos_core::sync::spin_until;
use hilos_core::time::Deadline;

use super::patience::Patience;
use crate::error::Error;
use crate::life::Life;
use crate::sys::futex;

/// A word that one thread of one process holds, and that knows by whom it is held.
///
/// Zero at first, which is free.
#[derive(Debug, Zeroable)]
#[repr(C)]
pub(crate) struct OwnedWord {
    /// The number of the thread that acquired it, 0 if it is free; [`WAITED`] if somebody waits.
    word: AtomicU32,
    /// How often its thread holds it, for a lock that can be nested.
    pub(super) depth: AtomicU32,
    /// Whose life the lock depends on, 0 if it is free or was acquired just now.
    owner: AtomicU64,
}

/// Thread numbers leave this bit free.
const WAITED: u32 = 1 << 31;

impl OwnedWord {
    /// The number of the thread that acquired it, 0 if it is free.
    #[inline]
    pub(super) fn thread(&self) -> u32 {
        self.word.load(Ordering::Relaxed) & !WAITED
    }

    /// The life that holds it.
    pub(super) fn owner(&self) -> Option<Life> {
        Life::from_bits(self.owner.load(Ordering::Relaxed))
    }

    /// Acquires it for a thread and for as long as `owner` lives, if it is free.
    #[inline]
    pub(crate) fn try_acquire(&self, thread: Life, owner: Life) -> bool {
        let taken =
            self.word
                .compare_exchange(0, thread.id(), Ordering::Acquire, Ordering::Relaxed);
        if taken.is_ok() {
            self.owner.store(owner.to_bits(), Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// Acquires it, or returns `false` when `deadline` has passed.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if whoever holds it is dead.
    #[inline]
    pub(crate) fn acquire_until(
        &self,
        thread: Life,
        owner: Life,
        deadline: Deadline,
    ) -> Result<bool, Error> {
        if self.try_acquire(thread, owner) {
            return Ok(true);
        }
        self.acquire_slow(thread, owner, deadline)
    }

    #[cold]
    fn acquire_slow(&self, thread: Life, owner: Life, deadline: Deadline) -> Result<bool, Error> {
        if !deadline.is_past() && spin_until(|| self.try_acquire(thread, owner)) {
            return Ok(true);
        }
        let mut patience = Patience::until(deadline);
        loop {
            // Whoever has waited cannot know whether it was the only one.
            if self.take(0, thread.id() | WAITED, owner) {
                return Ok(true);
            }
            let word = self.word.load(Ordering::Relaxed);
            if word == 0 || word & WAITED == 0 && !self.announce(word) {
                continue;
            }
            if patience.exhausted() {
                self.check_owner()?;
                if deadline.passed() {
                    return Ok(false);
                }
            }
            futex::wait(&self.word, word | WAITED, patience.next());
        }
    }

    fn take(&self, from: u32, to: u32, owner: Life) -> bool {
        let taken = self
            .word
            .compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_ok() {
            self.owner.store(owner.to_bits(), Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// Tells the holder of `word` that somebody waits.
    fn announce(&self, word: u32) -> bool {
        self.word
            .compare_exchange(word, word | WAITED, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Releases it, whoever holds it; `false` if nobody does.
    #[inline]
    pub(crate) fn release(&self) -> bool {
        self.owner.store(0, Ordering::Relaxed);
        let word = self.word.swap(0, Ordering::Release);
        if word & WAITED != 0 {
            futex::wake(&self.word, 1);
        }
        word != 0
    }

    /// Acquires it if its holder is dead.
    pub(crate) fn recover(&self, thread: Life, owner: Life) -> bool {
        let Some((word, _)) = self.dead_owner() else {
            return false;
        };
        let taken = self.take(word, thread.id() | WAITED, owner);
        if taken {
            self.depth.store(1, Ordering::Relaxed);
        }
        taken
    }

    fn check_owner(&self) -> Result<(), Error> {
        match self.dead_owner() {
            Some((_, pid)) => Err(Error::OwnerDied(pid)),
            None => Ok(()),
        }
    }

    /// What the word holds and the number of its holder, if that is dead.
    fn dead_owner(&self) -> Option<(u32, u32)> {
        let word = self.word.load(Ordering::Acquire);
        let thread = word & !WAITED;
        let bits = self.owner.load(Ordering::Acquire);
        if thread == 0 {
            return None;
        }
        // One that was killed before it wrote down its life is known by its number alone.
        let life = Life::from_bits(bits).unwrap_or_else(|| Life::unknown(thread));
        let same = || self.thread() == thread && self.owner.load(Ordering::Relaxed) == bits;
        (life.ended() && same()).then(|| (self.word.load(Ordering::Relaxed), life.id()))
    }
}
