//! Who holds how much of something that many can hold.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytemuck::Zeroable;

use crate::life::Life;

/// A table of processes, each with what it holds. A process that finds no place in it is not
/// watched.
#[derive(Debug, Zeroable)]
#[repr(C)]
pub(crate) struct Holders {
    places: [Place; PLACES],
}

const PLACES: usize = 250;

#[derive(Debug, Zeroable)]
#[repr(C)]
struct Place {
    /// Whose place it is, 0 if it is free.
    life: AtomicU64,
    held: AtomicU32,
    unused: u32,
}

/// Where a process found its place the last time; only to find it faster.
#[derive(Debug, Default)]
pub(crate) struct Hint(AtomicU32);

impl Holders {
    /// This process holds one more; `false` if it is not watched.
    #[inline]
    pub(crate) fn add(&self, hint: &Hint) -> bool {
        let place = self.mine(hint);
        place.is_some_and(|place| {
            place.held.fetch_add(1, Ordering::Relaxed);
            true
        })
    }

    /// This process holds one less; `false` if it held none.
    #[inline]
    pub(crate) fn remove(&self, hint: &Hint) -> bool {
        let held = |held: u32| held.checked_sub(1);
        self.mine(hint).is_some_and(|place| {
            place
                .held
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, held)
                .is_ok()
        })
    }

    /// How much all of them hold.
    pub(crate) fn total(&self) -> usize {
        let held = |place: &Place| place.held.load(Ordering::Relaxed) as usize;
        self.places.iter().map(held).sum()
    }

    /// Nobody holds anything any more.
    pub(crate) fn clear(&self) {
        for place in &self.places {
            place.held.store(0, Ordering::Relaxed);
        }
    }

    /// A process that has died holding something.
    pub(crate) fn dead(&self) -> Option<Life> {
        self.dead_places().map(|(life, _)| life).next()
    }

    /// Takes away what dead processes hold, and says how much that was.
    pub(crate) fn bury(&self) -> u32 {
        let taken = self.dead_places().map(|(life, place)| {
            let held = place.held.swap(0, Ordering::Relaxed);
            let bits = life.to_bits();
            let _ = place
                .life
                .compare_exchange(bits, 0, Ordering::Relaxed, Ordering::Relaxed);
            held
        });
        taken.sum()
    }

    fn dead_places(&self) -> impl Iterator<Item = (Life, &Place)> {
        self.places.iter().filter_map(|place| {
            let life = Life::from_bits(place.life.load(Ordering::Acquire))?;
            (place.held.load(Ordering::Relaxed) != 0 && life.ended()).then_some((life, place))
        })
    }

    #[inline]
    fn mine(&self, hint: &Hint) -> Option<&Place> {
        let me = Life::process().to_bits();
        let place = &self.places[hint.0.load(Ordering::Relaxed) as usize % PLACES];
        if place.life.load(Ordering::Relaxed) == me {
            return Some(place);
        }
        self.find(me, hint)
    }

    #[cold]
    fn find(&self, me: u64, hint: &Hint) -> Option<&Place> {
        let index = self
            .places
            .iter()
            .position(|place| place.life.load(Ordering::Relaxed) == me)
            .or_else(|| self.settle(me))?;
        hint.0.store(index as u32, Ordering::Relaxed);
        Some(&self.places[index])
    }

    /// Takes a free place, or that of a process that has ended and held nothing.
    fn settle(&self, me: u64) -> Option<usize> {
        let take = |place: &Place| {
            let other = place.life.load(Ordering::Relaxed);
            let vacant = place.held.load(Ordering::Relaxed) == 0
                && Life::from_bits(other).is_none_or(Life::ended);
            vacant
                && place
                    .life
                    .compare_exchange(other, me, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
        };
        let free = |place: &Place| place.life.load(Ordering::Relaxed) == 0;
        let first = self
            .places
            .iter()
            .position(|place| free(place) && take(place));
        first.or_else(|| self.places.iter().position(take))
    }
}
