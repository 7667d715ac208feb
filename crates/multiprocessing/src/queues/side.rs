//! One side of a ring: where its next item begins, and how many it has seen.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytemuck::Zeroable;
use hilos_core::time::Deadline;

use crate::error::Error;
use crate::life::Life;
use crate::synchronize::OwnedWord;
use crate::sys::futex;

/// The side that puts, or the side that gets.
#[derive(Debug, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Side {
    /// Held while an item is put, or got.
    lock: OwnedWord,
    /// How many items there were. One store of it makes an item count, so that nobody who is
    /// killed leaves half of one.
    pub(super) turn: AtomicU32,
    /// How many wait for the next turn, or a few more if some were killed.
    waiting: AtomicU32,
    /// The position after an even turn, and after an odd one.
    positions: [AtomicU64; 2],
}

/// A moment of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) turn: u32,
    pub(super) position: u64,
}

/// Holds a side until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a Side);

impl Side {
    /// Holds the side; after a death it is simply taken over, as nobody leaves it half changed.
    pub(super) fn hold(&self, deadline: Deadline) -> Result<Option<Held<'_>>, Error> {
        let (thread, process) = (Life::thread(), Life::process());
        loop {
            match self.lock.acquire_until(thread, process, deadline) {
                Ok(acquired) => return Ok(acquired.then_some(Held(self))),
                Err(Error::OwnerDied(_)) if self.lock.recover(thread, process) => {
                    return Ok(Some(Held(self)));
                }
                Err(Error::OwnerDied(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where the side is, for whoever does not hold it.
    pub(super) fn moment(&self) -> Moment {
        loop {
            let turn = self.turn.load(Ordering::Acquire);
            let position = self.positions[turn as usize & 1].load(Ordering::Acquire);
            // Two turns later the place is written anew.
            if self.turn.load(Ordering::Relaxed) == turn {
                return Moment { turn, position };
            }
        }
    }

    /// Blocks while the side is at `turn`, until `deadline`; may return for no reason.
    pub(super) fn wait(&self, turn: u32, deadline: Deadline) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        if self.turn.load(Ordering::SeqCst) == turn {
            futex::wait(&self.turn, turn, deadline);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets `count` who wait go on.
    pub(super) fn wake(&self, count: u32) {
        if self.waiting.load(Ordering::SeqCst) != 0 {
            futex::wake(&self.turn, count);
        }
    }
}

impl Held<'_> {
    /// Where the side is.
    pub(super) fn moment(&self) -> Moment {
        let turn = self.0.turn.load(Ordering::Relaxed);
        let position = self.0.positions[turn as usize & 1].load(Ordering::Relaxed);
        Moment { turn, position }
    }

    /// One more item ends at `position`.
    pub(super) fn advance(&self, position: u64) {
        let next = self.0.turn.load(Ordering::Relaxed).wrapping_add(1);
        self.0.positions[next as usize & 1].store(position, Ordering::Release);
        self.0.turn.swap(next, Ordering::SeqCst);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.lock.release();
    }
}
