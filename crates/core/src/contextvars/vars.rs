//! The values of a context's variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Key, Value};

/// The variables of a context; a clone is cheap, and takes up memory of its own when it changes.
#[derive(Clone, Default)]
pub(super) struct Vars(Option<Arc<Map>>);

/// By the address of the key.
type Map = BTreeMap<usize, (Key, Value)>;

impl Vars {
    pub(super) fn value(&self, key: &Key) -> Option<Value> {
        let (_, value) = self.0.as_ref()?.get(&key.address())?;
        Some(value.clone())
    }

    /// Sets or removes a variable, and returns the value that it had.
    pub(super) fn replace(&mut self, key: &Key, value: Option<Value>) -> Option<Value> {
        let map = Arc::make_mut(self.0.get_or_insert_default());
        let old = match value {
            Some(value) => map.insert(key.address(), (key.clone(), value)),
            None => map.remove(&key.address()),
        };
        old.map(|(_, old)| old)
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |map| map.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Key, Value)> {
        self.0.iter().flat_map(|map| map.values())
    }
}

impl PartialEq for Vars {
    /// Whether both have the same variables with the same objects as values.
    fn eq(&self, other: &Self) -> bool {
        let same = |((key, value), (other_key, other_value)): (&(Key, Value), &(Key, Value))| {
            key == other_key && Arc::ptr_eq(value, other_value)
        };
        self.len() == other.len() && std::iter::zip(self.iter(), other.iter()).all(same)
    }
}
