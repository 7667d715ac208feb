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

/// A holder that is dead.
struct DeadOwner {
    thread: u32,
    /// What it wrote down as the owner.
    bits: u64,
    life: Life,
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
    #[inline]
    pub(super) fn owner(&self) -> Option<Life> {
        Life::from_bits(self.owner.load(Ordering::Relaxed))
    }

    /// Acquires it for a thread and for as long as `owner` lives, if it is free.
    #[inline]
    pub(crate) fn try_acquire(&self, thread: Life, owner: Life) -> bool {
        self.take(thread.id(), owner)
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
            if self.take(thread.id() | WAITED, owner) {
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

    #[inline]
    fn take(&self, word: u32, owner: Life) -> bool {
        let taken = self
            .word
            .compare_exchange(0, word, Ordering::Acquire, Ordering::Relaxed);
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
        let Some(dead) = self.dead_owner() else {
            return false;
        };
        // The owner first: one of those who recover changes it, and from then on nobody sees a
        // dead one, whichever word is beside it.
        let mine = owner.to_bits();
        let first =
            self.owner
                .compare_exchange(dead.bits, mine, Ordering::AcqRel, Ordering::Relaxed);
        let same = |word| (word & !WAITED == dead.thread).then_some(thread.id() | WAITED);
        let taken = first.is_ok()
            && self
                .word
                .fetch_update(Ordering::Acquire, Ordering::Relaxed, same)
                .is_ok();
        if taken {
            self.depth.store(1, Ordering::Relaxed);
        }
        taken
    }

    fn check_owner(&self) -> Result<(), Error> {
        match self.dead_owner() {
            Some(dead) => Err(Error::OwnerDied(dead.life.id())),
            None => Ok(()),
        }
    }

    /// Who holds the word, if that is dead.
    fn dead_owner(&self) -> Option<DeadOwner> {
        let thread = self.word.load(Ordering::Acquire) & !WAITED;
        let bits = self.owner.load(Ordering::Acquire);
        if thread == 0 {
            return None;
        }
        // One that was killed before it wrote down its life is known by its number alone.
        let life = Life::from_bits(bits).unwrap_or_else(|| Life::unknown(thread));
        let same = || self.thread() == thread && self.owner.load(Ordering::Relaxed) == bits;
        (life.ended() && same()).then_some(DeadOwner { thread, bits, life })
    }
}

#[cfg(test)]
mod tests;
