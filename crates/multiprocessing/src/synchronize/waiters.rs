//! Who waits for a condition, in the order in which they came.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytemuck::Zeroable;
use hilos_core::time::Deadline;

use super::patience::Patience;
use crate::life::Life;
use crate::sys::futex;

/// A table of waiting threads of any process.
///
/// A waiter that is killed keeps its place; if it had been notified, another one that waited then
/// takes its notification over.
#[derive(Debug, Zeroable)]
#[repr(C)]
pub(super) struct Waiters {
    /// How many have come.
    tickets: AtomicU32,
    /// No place from here on was ever taken.
    top: AtomicU32,
    places: [Place; PLACES],
}

const PLACES: usize = 1023;

#[derive(Debug, Zeroable)]
#[repr(C)]
struct Place {
    state: AtomicU32,
    /// How many had come before this one did, or before it was notified.
    ticket: AtomicU32,
    life: AtomicU64,
}

const FREE: u32 = 0;
/// Somebody is about to wait here.
const TAKEN: u32 = 1;
const WAITING: u32 = 2;
const NOTIFIED: u32 = 3;

/// A thread that waits, until it leaves the table.
#[derive(Debug)]
#[must_use = "its place is taken until it has waited"]
pub(super) struct Waiter<'a> {
    table: &'a Waiters,
    place: &'a Place,
}

impl Waiters {
    /// From now on, this thread can be notified; `None` if no place is free.
    pub(super) fn enter(&self) -> Option<Waiter<'_>> {
        let index = self
            .find(|place| place.change(FREE, TAKEN))
            .or_else(|| self.find(Place::take_from_dead))?;
        self.top.fetch_max(index as u32 + 1, Ordering::Relaxed);
        let place = &self.places[index];
        let life = Life::process().to_bits();
        place.life.store(life, Ordering::Relaxed);
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        place.ticket.store(ticket, Ordering::Relaxed);
        place.state.store(WAITING, Ordering::Release);
        Some(Waiter { table: self, place })
    }

    /// Lets up to `count` waiters go on, the longest waiting first.
    pub(super) fn notify(&self, count: usize) {
        let newest = self.tickets.load(Ordering::Relaxed);
        let waiting = |place: &&Place| place.state.load(Ordering::Acquire) == WAITING;
        let mut waiting: Vec<&Place> = self.used().iter().filter(waiting).collect();
        waiting.sort_unstable_by_key(|place| {
            // How long ago it came; the count may have begun again.
            std::cmp::Reverse(newest.wrapping_sub(place.ticket.load(Ordering::Relaxed)))
        });
        let notified = waiting.into_iter().filter(|place| {
            place.ticket.store(newest, Ordering::Relaxed);
            place.change(WAITING, NOTIFIED)
        });
        for place in notified.take(count) {
            futex::wake(&place.state, 1);
        }
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        let waits = |place: &&Place| place.state.load(Ordering::Relaxed) == WAITING;
        self.used().iter().filter(waits).count()
    }

    fn used(&self) -> &[Place] {
        &self.places[..PLACES.min(self.top.load(Ordering::Relaxed) as usize)]
    }

    fn find(&self, take: impl Fn(&Place) -> bool) -> Option<usize> {
        self.places.iter().position(take)
    }

    /// Takes over the notification of a waiter that died before it could go on, if the one with
    /// `ticket` waited when it was made.
    fn inherit(&self, ticket: u32) -> bool {
        let bequeathed = |place: &Place| {
            let notified = place.state.load(Ordering::Acquire) == NOTIFIED;
            // The count may have begun again.
            let before = ticket.wrapping_sub(place.ticket.load(Ordering::Relaxed)) as i32;
            (notified && before < 0) && place.is_dead() && place.change(NOTIFIED, FREE)
        };
        self.used().iter().any(bequeathed)
    }
}

impl Place {
    fn change(&self, from: u32, to: u32) -> bool {
        self.state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    fn is_dead(&self) -> bool {
        Life::from_bits(self.life.load(Ordering::Relaxed)).is_some_and(Life::ended)
    }

    fn take_from_dead(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state != FREE && self.is_dead() && self.change(state, TAKEN)
    }
}

impl Waiter<'_> {
    /// Blocks until notified, or returns `false` when `deadline` has passed.
    pub(super) fn wait(self, deadline: Deadline) -> bool {
        let inherited = self.block(deadline);
        self.leave(inherited)
    }

    /// Leaves the table; says whether this one was notified or has inherited a notification.
    fn leave(self, inherited: bool) -> bool {
        // From here on the place may be another one's. A notification may have been faster.
        let notified = self.place.state.swap(FREE, Ordering::AcqRel) == NOTIFIED;
        if inherited && notified {
            // One of the two is enough.
            self.table.notify(1);
        }
        inherited || notified
    }

    /// Blocks until notified or until `deadline`; says whether a notification was inherited.
    fn block(&self, deadline: Deadline) -> bool {
        let ticket = self.place.ticket.load(Ordering::Relaxed);
        let mut patience = Patience::until(deadline);
        while self.place.state.load(Ordering::Acquire) == WAITING && !deadline.passed() {
            if patience.exhausted() && self.table.inherit(ticket) {
                return true;
            }
            futex::wait(&self.place.state, WAITING, patience.next());
        }
        false
    }
}

#[cfg(test)]
mod tests;
