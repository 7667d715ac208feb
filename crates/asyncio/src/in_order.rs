//! A list of futures out of which any one is taken quickly, however many there are.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use crate::any_future::AnyRc;
use crate::awaited_by::id;

/// Items in the order in which they came, each of which belongs to a future and keeps it alive.
pub(crate) struct InOrder<T> {
    /// By a number that is higher the later the item came.
    items: BTreeMap<u64, T>,
    numbers: HashMap<*const (), u64>,
    next: u64,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            numbers: HashMap::new(),
            next: 0,
        }
    }
}

impl<T> InOrder<T> {
    /// Adds the item of `future` at the end, unless there is one.
    pub(crate) fn insert(&mut self, future: &AnyRc, item: T) {
        if let Entry::Vacant(place) = self.numbers.entry(id(future)) {
            self.items.insert(*place.insert(self.next), item);
            self.next += 1;
        }
    }

    pub(crate) fn remove(&mut self, future: &AnyRc) -> Option<T> {
        let number = self.numbers.remove(&id(future))?;
        self.items.remove(&number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl InOrder<AnyRc> {
    pub(crate) fn push(&mut self, future: AnyRc) {
        self.insert(&future.clone(), future);
    }

    /// The futures, to be looked at while the list may change.
    pub(crate) fn to_vec(&self) -> Vec<AnyRc> {
        self.iter().cloned().collect()
    }
}
