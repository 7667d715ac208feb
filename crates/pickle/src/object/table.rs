//! A hash table that keeps the order of insertion: what dict, set and frozenset are made of.

use super::Object;

/// Up to so many entries a look through their hashes is as fast as an index.
const SMALL: usize = 8;

/// The entries in order, and an index of them by open addressing once there are many.
#[derive(Clone)]
pub(crate) struct Table<V> {
    /// `None` where an entry was removed; the last one is never `None`.
    entries: Vec<Option<Entry<V>>>,
    /// Positions of entries plus 1, 0 where none was put; empty for a small table. A position stays
    /// when its entry goes, for those that were put after it.
    index: Vec<u32>,
    /// How many slots of the index are not 0.
    used: usize,
    live: usize,
}

#[derive(Clone)]
pub(crate) struct Entry<V> {
    pub(crate) hash: u64,
    pub(crate) key: Object,
    pub(crate) value: V,
}

impl<V> Table<V> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            index: Vec::new(),
            used: 0,
            live: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        self.entries.reserve(additional);
    }

    /// The entries in order of insertion.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry<V>> {
        self.entries.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<V>> {
        self.entries.iter_mut().flatten()
    }

    /// The entries from a position on, with their positions.
    pub(crate) fn iter_from(&self, position: usize) -> impl Iterator<Item = (usize, &Entry<V>)> {
        let entries = self.entries.iter().enumerate().skip(position);
        entries.filter_map(|(position, entry)| Some((position, entry.as_ref()?)))
    }

    pub(crate) fn last(&self) -> Option<usize> {
        self.entries.len().checked_sub(1)
    }

    pub(crate) fn get(&self, position: usize) -> Option<&Entry<V>> {
        self.entries.get(position)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, position: usize) -> Option<&mut Entry<V>> {
        self.entries.get_mut(position)?.as_mut()
    }

    /// The position of the entry with this hash that `same` recognises.
    pub(crate) fn find<E, F>(&self, hash: u64, mut same: F) -> Result<Option<usize>, E>
    where
        F: FnMut(&Object) -> Result<bool, E>,
    {
        let mut matches = |position: usize| match self.get(position) {
            Some(entry) if entry.hash == hash => same(&entry.key),
            _ => Ok(false),
        };
        if self.index.is_empty() {
            for position in 0..self.entries.len() {
                if matches(position)? {
                    return Ok(Some(position));
                }
            }
            return Ok(None);
        }
        for slot in self.slots(hash) {
            match self.index[slot] {
                0 => break,
                stored if matches(stored as usize - 1)? => return Ok(Some(stored as usize - 1)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Adds an entry, which must not be there yet.
    pub(crate) fn push(&mut self, hash: u64, key: Object, value: V) {
        self.make_room();
        self.entries.push(Some(Entry { hash, key, value }));
        self.live += 1;
        if !self.index.is_empty() {
            self.enter(self.entries.len() - 1, hash);
        }
    }

    pub(crate) fn remove(&mut self, position: usize) -> Option<Entry<V>> {
        let entry = self.entries.get_mut(position)?.take()?;
        self.live -= 1;
        while let Some(None) = self.entries.last() {
            self.entries.pop();
        }
        Some(entry)
    }

    fn make_room(&mut self) {
        let crowded = match self.index.len() {
            0 => self.entries.len() >= SMALL,
            slots => (self.used + 1) * 3 > slots * 2,
        };
        if crowded {
            self.rebuild();
        }
    }

    /// Drops what removals left behind, and makes an index if the entries are many.
    fn rebuild(&mut self) {
        self.entries.retain(Option::is_some);
        self.used = 0;
        self.index.clear();
        if self.live < SMALL {
            return;
        }
        let slots = (self.live * 3).next_power_of_two();
        assert!(
            u32::try_from(slots).is_ok(),
            "a dict or set of more than a billion entries"
        );
        self.index.resize(slots, 0);
        for position in 0..self.entries.len() {
            let hash = self.get(position).map_or(0, |entry| entry.hash);
            self.enter(position, hash);
        }
    }

    fn enter(&mut self, position: usize, hash: u64) {
        let free = self.slots(hash).find(|&slot| self.index[slot] == 0);
        if let Some(free) = free {
            self.index[free] = position as u32 + 1;
            self.used += 1;
        }
    }

    /// Where to look for a hash, in order.
    fn slots(&self, hash: u64) -> impl Iterator<Item = usize> + use<V> {
        let mask = self.index.len() - 1;
        let start = (hash ^ hash >> 32) as usize;
        (0..=mask).map(move |step| start.wrapping_add(step) & mask)
    }
}
