//! Who holds how much of something that many can hold.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytemuck::Zeroable;

use crate::life::Life;

/// A table of processes, each with what it holds. A process that finds no place in it is not
/// watched; one whose threads come at the same time may have several.
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
        let me = Life::process().to_bits();
        let place = self.mine(me, hint).or_else(|| self.settle(me, hint));
        place.is_some_and(|place| {
            place.held.fetch_add(1, Ordering::Relaxed);
            true
        })
    }

    /// This process holds one less; `false` if it held none.
    #[inline]
    pub(crate) fn remove(&self, hint: &Hint) -> bool {
        let me = Life::process().to_bits();
        self.mine(me, hint).is_some_and(Place::take_one) || self.remove_elsewhere(me)
    }

    #[cold]
    fn remove_elsewhere(&self, me: u64) -> bool {
        let mut places = self.places.iter();
        places.any(|place| place.life.load(Ordering::Relaxed) == me && place.take_one())
    }

    /// A process that has died holds one less; `false` if none held any.
    pub(crate) fn remove_of_dead(&self) -> bool {
        self.dead_places().any(|(_, place)| place.take_one())
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
    fn mine(&self, me: u64, hint: &Hint) -> Option<&Place> {
        let place = &self.places[hint.0.load(Ordering::Relaxed) as usize % PLACES];
        (place.life.load(Ordering::Relaxed) == me).then_some(place)
    }

    /// This process's place, or a free one, or that of a process that has ended and held nothing.
    #[cold]
    fn settle(&self, me: u64, hint: &Hint) -> Option<&Place> {
        let find = |take: &dyn Fn(&Place, u64) -> bool| {
            let wanted = |place: &Place| take(place, place.life.load(Ordering::Relaxed));
            self.places.iter().position(wanted)
        };
        let index = find(&|_, life| life == me)
            .or_else(|| find(&|place, life| life == 0 && place.take_over(life, me)))
            .or_else(|| find(&|place, life| place.is_vacant() && place.take_over(life, me)))?;
        hint.0.store(index as u32, Ordering::Relaxed);
        Some(&self.places[index])
    }
}

impl Place {
    fn take_one(&self) -> bool {
        let less = |held: u32| held.checked_sub(1);
        self.held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    fn is_vacant(&self) -> bool {
        let life = Life::from_bits(self.life.load(Ordering::Relaxed));
        self.held.load(Ordering::Relaxed) == 0 && life.is_none_or(Life::ended)
    }

    fn take_over(&self, from: u64, to: u64) -> bool {
        self.life
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(test)]
mod tests;
