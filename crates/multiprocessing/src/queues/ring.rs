//! Items in shared memory, in the order in which they were put.

use std::io;
use std::mem::size_of;
use std::sync::atomic::{AtomicU32, Ordering};

use bytemuck::Zeroable;
use hilos_core::sync::spin_until;
use hilos_core::time::Deadline;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::side::{Held, Moment, Side};
use crate::error::Error;
use crate::handle::Handle;
use crate::reduction::TravellingFd;
use crate::synchronize::{Holders, Patience};
use crate::sys::shared::Shared;

/// A ring of items, each its length and its bytes; a handle.
///
/// When it is full it moves to a region twice as large, further on in the same memory; when it has
/// become empty it gives a large one back.
#[derive(Clone)]
pub(super) struct Ring {
    state: Handle<State>,
}

/// What the memory begins with.
#[derive(Debug, Zeroable)]
#[repr(C)]
pub(super) struct State {
    put: Side,
    got: Side,
    /// In which region the items are.
    region: AtomicU32,
    /// How many items there may be, 0 if any number.
    maxsize: AtomicU32,
    /// How many items' tasks are done.
    pub(super) done: AtomicU32,
    /// How many wait for the tasks to be done, or a few more if some were killed.
    pub(super) joining: AtomicU32,
    /// Who has got items whose tasks are not done.
    pub(super) takers: Holders,
    /// 1 once a task was done by a process that had not got it.
    pub(super) handed_on: AtomicU32,
}

/// Where the first region begins.
const HEADER: usize = size_of::<State>().next_multiple_of(4096);
/// How large the first region is.
const SMALLEST: usize = 64 * 1024;
/// The last region: 8 GiB where addresses are plenty.
const LAST: u32 = if size_of::<usize>() == 8 { 17 } else { 8 };
/// From this region on, 16 MiB, an empty one is given back.
const LARGE: u32 = 8;
/// What goes before an item's bytes.
const LENGTH: usize = size_of::<u64>();

/// A range of the memory that positions run round in.
#[derive(Clone, Copy)]
struct Region {
    base: usize,
    size: usize,
}

impl Region {
    const fn numbered(number: u32) -> Self {
        Self {
            base: HEADER + SMALLEST * ((1 << number) - 1),
            size: SMALLEST << number,
        }
    }

    const fn end(self) -> usize {
        self.base + self.size
    }

    /// The place of a position, and how far it is from there to the end.
    fn place(self, position: u64) -> (usize, usize) {
        let offset = (position % self.size as u64) as usize;
        (self.base + offset, self.size - offset)
    }

    fn write(self, memory: &Shared, position: u64, bytes: &[u8]) {
        let (place, room) = self.place(position);
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        memory.write(place, first);
        memory.write(self.base, rest);
    }

    fn read(self, memory: &Shared, position: u64, bytes: &mut [u8]) {
        let (place, room) = self.place(position);
        let (first, rest) = bytes.split_at_mut(room.min(bytes.len()));
        memory.read(place, first);
        memory.read(self.base, rest);
    }
}

impl Ring {
    /// Creates a ring for up to `maxsize` items, or for any number if that is 0.
    pub(super) fn new(maxsize: usize) -> Result<Self, Error> {
        let (first, wanted) = (Region::numbered(0).end(), Region::numbered(LAST).end());
        let state = Handle::<State>::with_room(first, wanted)?;
        let maxsize = u32::try_from(maxsize).unwrap_or(0);
        state.maxsize.store(maxsize, Ordering::Relaxed);
        Ok(Self { state })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        // In this order: an item is put before it is got.
        let got = self.state.got.turn.load(Ordering::Acquire);
        self.put_count().wrapping_sub(got) as usize
    }

    /// How many items there were.
    pub(super) fn put_count(&self) -> u32 {
        self.state.put.turn.load(Ordering::Acquire)
    }

    pub(super) fn is_full(&self) -> bool {
        let maxsize = self.state.maxsize.load(Ordering::Relaxed) as usize;
        maxsize != 0 && self.len() >= maxsize
    }

    /// Puts an item, when there is a place for it.
    ///
    /// # Errors
    /// [`Error::Full`] when `deadline` has passed; [`Error::Os`] if there is no memory.
    pub(super) fn put(&self, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        let mut patience = Patience::until(deadline);
        loop {
            let got = self.state.got.moment();
            let held = self.state.put.hold(Deadline::NEVER)?.ok_or(Error::Full)?;
            if !self.is_full() {
                self.write(&held, bytes)?;
                break;
            }
            drop(held);
            if deadline.passed() {
                return Err(Error::Full);
            }
            self.state.got.wait(got.turn, patience.next());
        }
        self.state.put.wake(1);
        Ok(())
    }

    fn write(&self, held: &Held<'_>, bytes: &[u8]) -> Result<(), Error> {
        let Moment { position, .. } = held.moment();
        let needed = LENGTH + bytes.len();
        let region = self.region_for(needed, position)?;
        let memory = self.state.memory();
        region.write(memory, position, &(bytes.len() as u64).to_ne_bytes());
        region.write(memory, position + LENGTH as u64, bytes);
        held.advance(position + needed as u64);
        Ok(())
    }

    fn region(&self) -> Region {
        Region::numbered(self.state.region.load(Ordering::Relaxed).min(LAST))
    }

    /// A region with room for `needed` more bytes after `position`.
    fn region_for(&self, needed: usize, position: u64) -> Result<Region, Error> {
        let used = |from: Moment| (position - from.position) as usize;
        let region = self.region();
        if region.size - used(self.state.got.moment()) >= needed {
            return Ok(region);
        }
        // Nobody may read while the items move.
        let held = self.state.got.hold(Deadline::NEVER)?.ok_or(Error::Full)?;
        let from = held.moment();
        let fits = |number: &u32| Region::numbered(*number).size - used(from) >= needed;
        let current = self.state.region.load(Ordering::Relaxed);
        let next = (current..=LAST).find(fits);
        let next = next.ok_or_else(|| Error::Value("the queue cannot hold this much".into()))?;
        if next != current {
            self.grow(region, Region::numbered(next), from.position..position)?;
            self.state.region.store(next, Ordering::Release);
            let memory = self.state.memory();
            memory.discard(region.base, region.size);
        }
        Ok(Region::numbered(next))
    }

    /// Copies the items between two positions to another region.
    fn grow(&self, from: Region, to: Region, items: std::ops::Range<u64>) -> Result<(), Error> {
        let memory = self.state.memory();
        memory.reserve(to.base, to.size)?;
        let mut buffer = [0; 16 * 1024];
        let mut position = items.start;
        while position < items.end {
            let count = buffer.len().min((items.end - position) as usize);
            from.read(memory, position, &mut buffer[..count]);
            to.write(memory, position, &buffer[..count]);
            position += count as u64;
        }
        Ok(())
    }

    /// Gives the memory of a large region back, once it is empty.
    fn shrink(&self, got: &Held<'_>) {
        let number = self.state.region.load(Ordering::Relaxed);
        if number < LARGE || self.len() != 0 {
            return;
        }
        // Nobody may write while the region changes; whoever does makes it needed.
        let Ok(Some(put)) = self.state.put.hold(Deadline::PAST) else {
            return;
        };
        let (first, large) = (Region::numbered(0), Region::numbered(number));
        let memory = self.state.memory();
        let empty = put.moment().turn == got.moment().turn;
        if empty && memory.reserve(first.base, first.size).is_ok() {
            self.state.region.store(0, Ordering::Release);
            memory.discard(large.base, large.size);
        }
    }

    /// Takes the next item, when there is one, and calls `note` just before.
    ///
    /// # Errors
    /// [`Error::Empty`] when `deadline` has passed.
    pub(super) fn get(&self, deadline: Deadline, note: impl Fn()) -> Result<Vec<u8>, Error> {
        let mut patience = Patience::until(deadline);
        loop {
            let held = self.state.got.hold(deadline)?.ok_or(Error::Empty)?;
            let (put, got) = (self.state.put.moment(), held.moment());
            if put.turn != got.turn {
                let bytes = self.read(&held, got, put, note);
                self.shrink(&held);
                drop(held);
                self.state.got.wake(1);
                return bytes;
            }
            drop(held);
            if deadline.passed() {
                return Err(Error::Empty);
            }
            let changed = || self.state.put.turn.load(Ordering::Relaxed) != put.turn;
            if !spin_until(changed) {
                self.state.put.wait(put.turn, patience.next());
            }
        }
    }

    fn read(
        &self,
        held: &Held<'_>,
        from: Moment,
        to: Moment,
        note: impl Fn(),
    ) -> Result<Vec<u8>, Error> {
        let (region, memory) = (self.region(), self.state.memory());
        if region.end() > memory.reserved() {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        let mut length = [0; LENGTH];
        region.read(memory, from.position, &mut length);
        let length = u64::from_ne_bytes(length);
        let begin = from.position + LENGTH as u64;
        if length > to.position.saturating_sub(begin) {
            return Err(Error::os("the queue's memory was overwritten"));
        }
        let mut bytes = vec![0; length as usize];
        region.read(memory, begin, &mut bytes);
        note();
        held.advance(begin + length);
        Ok(bytes)
    }
}

impl Serialize for Ring {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.state.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ring {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fd = TravellingFd::deserialize(deserializer)?;
        let state = Handle::arrived(fd, Region::numbered(LAST).end());
        Ok(Self {
            state: state.map_err(serde::de::Error::custom)?,
        })
    }
}
