//! What an unpickler has put aside to get again.

use std::collections::BTreeMap;

use crate::Object;

/// So many objects most pickles have at most.
const SMALL: usize = 16;

#[derive(Default)]
pub(crate) struct Memo {
    /// From 0 on, as every pickler numbers them.
    dense: Vec<Object>,
    /// Under other numbers, which a pickle may choose as it likes.
    sparse: BTreeMap<u64, Object>,
}

impl Memo {
    pub(crate) const fn new() -> Self {
        Self {
            dense: Vec::new(),
            sparse: BTreeMap::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.dense.clear();
        self.sparse.clear();
    }

    pub(crate) fn capacity(&self) -> usize {
        self.dense.capacity()
    }

    #[inline]
    pub(crate) fn get(&self, index: u64) -> Option<&Object> {
        let dense = usize::try_from(index)
            .ok()
            .and_then(|index| self.dense.get(index));
        dense.or_else(|| self.sparse.get(&index))
    }

    #[inline]
    pub(crate) fn put(&mut self, index: u64, object: Object) {
        if index == self.dense.len() as u64 {
            if index == 0 {
                self.dense.reserve(SMALL);
            }
            self.dense.push(object);
            if !self.sparse.is_empty() {
                self.sparse.remove(&index);
            }
        } else if let Some(old) = usize::try_from(index)
            .ok()
            .and_then(|index| self.dense.get_mut(index))
        {
            *old = object;
        } else {
            self.sparse.insert(index, object);
        }
    }

    /// Under the number that comes next.
    #[inline]
    pub(crate) fn push(&mut self, object: Object) {
        if self.sparse.is_empty() && !self.dense.is_empty() {
            return self.dense.push(object);
        }
        self.put((self.dense.len() + self.sparse.len()) as u64, object);
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.dense.iter().chain(self.sparse.values())
    }
}
