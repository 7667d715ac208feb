//! Python's dict.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use super::table::{Entry, Table};
use super::{Object, burial, hash, lookup};
use crate::Error;

/// Values by key in the order of insertion, Python's `dict`; clones are the same dict.
///
/// Keys are compared as Python does: `1`, `1.0` and `True` are one key. Each method is atomic.
///
/// ```
/// use hilos_pickle::Dict;
///
/// let d = Dict::new();
/// d.insert(1, "one")?;
/// d.insert("two", 2)?;
/// d.insert(1.0, None)?;
/// assert_eq!(format!("{d:?}"), "{1: None, 'two': 2}");
/// # Ok::<(), hilos_pickle::Error>(())
/// ```
///
/// # Differences from Python
///
/// A dict that holds itself is freed when something breaks the cycle, such as [`clear`](Self::clear).
///
/// CPython: [`dict`](https://docs.python.org/3.14/library/stdtypes.html#mapping-types-dict)
#[derive(Clone)]
pub struct Dict(Arc<Node>);

struct Node {
    table: Mutex<Table<Object>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let table = super::get_mut(&mut self.table);
        if table.len() > 0 {
            let mut heap = Vec::new();
            empty(table, &mut heap);
            burial::bury(heap);
        }
    }
}

/// Moves the containers to the heap, so that the table can be dropped.
fn empty(table: &mut Table<Object>, heap: &mut Vec<Object>) {
    let mut table = std::mem::replace(table, Table::new());
    let objects = table
        .iter_mut()
        .flat_map(|entry| [&mut entry.key, &mut entry.value]);
    burial::sort_out(objects, heap);
}

impl Dict {
    /// An empty dict.
    pub fn new() -> Self {
        let table = Mutex::new(Table::new());
        Self(Arc::new(Node { table }))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key, `d.get(key)`; `None` if the key is not there.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the key cannot be hashed, as in all methods that take one.
    pub fn get<K: Into<Object>>(&self, key: K) -> Result<Option<Object>, Error> {
        self.look_up(&key.into())
    }

    /// The value of a key, `d[key]`.
    ///
    /// # Errors
    ///
    /// A `KeyError` if the key is not there.
    pub fn get_item<K: Into<Object>>(&self, key: K) -> Result<Object, Error> {
        let key = key.into();
        self.look_up(&key)?.ok_or(Error::KeyError(key))
    }

    fn look_up(&self, key: &Object) -> Result<Option<Object>, Error> {
        lookup::with_entry(
            key,
            || self.lock(),
            |table, _, found| {
                let entry = found.and_then(|position| table.get(position));
                entry.map(|entry| entry.value.clone())
            },
        )
    }

    /// Whether the key is there, `key in d`.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the key cannot be hashed.
    pub fn contains<K: Into<Object>>(&self, key: K) -> Result<bool, Error> {
        Ok(self.get(key)?.is_some())
    }

    /// Sets the value of a key, `d[key] = value`; the value that it had.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the key cannot be hashed.
    pub fn insert<K: Into<Object>, V: Into<Object>>(
        &self,
        key: K,
        value: V,
    ) -> Result<Option<Object>, Error> {
        let (key, value) = (key.into(), value.into());
        lookup::with_entry(
            &key,
            || self.lock(),
            |table, hash, found| put(table, hash, key.clone(), value, found),
        )
    }

    /// Sets the value of a key if that is still `current`, the very object, or if the key is still not
    /// there; whether it was so. For a change that depends on the value, which others change too.
    ///
    /// ```
    /// # use hilos_pickle::{Dict, Object};
    /// let d = Dict::new();
    /// assert!(d.replace_if("n", None, 1)?);
    /// assert!(d.replace_if("n", Some(&Object::from(1)), 2)?);
    /// assert!(!d.replace_if("n", Some(&Object::from(1)), 3)?);
    /// assert_eq!(d.get_item("n")?, 2.into());
    /// # Ok::<(), hilos_pickle::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A `TypeError` if the key cannot be hashed.
    pub fn replace_if<K: Into<Object>, V: Into<Object>>(
        &self,
        key: K,
        current: Option<&Object>,
        value: V,
    ) -> Result<bool, Error> {
        let (key, value) = (key.into(), value.into());
        let old = lookup::with_entry(
            &key,
            || self.lock(),
            |table, hash, found| {
                let there = found.and_then(|position| table.get(position));
                let same = match (there, current) {
                    (Some(entry), Some(current)) => entry.value.is(current),
                    (there, current) => there.is_none() && current.is_none(),
                };
                same.then(|| put(table, hash, key.clone(), value, found))
            },
        )?;
        // The old value is dropped here, without the lock.
        Ok(old.is_some())
    }

    /// Sets many values, `d.update(pairs)`.
    ///
    /// # Errors
    ///
    /// A `TypeError` at the first key that cannot be hashed; those before it are set.
    pub fn update<I: IntoIterator<Item = (Object, Object)>>(&self, pairs: I) -> Result<(), Error> {
        let pairs = pairs.into_iter();
        let mut table = self.lock();
        table.reserve(pairs.size_hint().0);
        for (key, value) in pairs {
            if let Some(hash) = hash::shallow(&key)
                && !key.is_container()
            {
                let found = lookup::plain(&table, hash, &key);
                put(&mut table, hash, key, value, found);
                continue;
            }
            // Hashing and comparing such keys may need the lock of any container, of this too.
            drop(table);
            self.insert(key, value)?;
            table = self.lock();
        }
        Ok(())
    }

    /// The value of a key, after setting it to `default` if the key was not there.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the key cannot be hashed.
    pub fn setdefault<K: Into<Object>, V: Into<Object>>(
        &self,
        key: K,
        default: V,
    ) -> Result<Object, Error> {
        let (key, default) = (key.into(), default.into());
        lookup::with_entry(
            &key,
            || self.lock(),
            |table, hash, found| {
                if let Some(entry) = found.and_then(|position| table.get(position)) {
                    return entry.value.clone();
                }
                table.push(hash, key.clone(), default.clone());
                default
            },
        )
    }

    /// Removes a key, `d.pop(key)`, and returns its value.
    ///
    /// # Errors
    ///
    /// A `KeyError` if the key is not there.
    pub fn pop<K: Into<Object>>(&self, key: K) -> Result<Object, Error> {
        let key = key.into();
        let removed = lookup::with_entry(
            &key,
            || self.lock(),
            |table, _, found| found.and_then(|position| table.remove(position)),
        )?;
        removed.map(|entry| entry.value).ok_or(Error::KeyError(key))
    }

    /// Removes the key that came last, and returns it with its value.
    ///
    /// # Errors
    ///
    /// A `KeyError` if the dict is empty.
    pub fn popitem(&self) -> Result<(Object, Object), Error> {
        let mut table = self.lock();
        let last = table.last();
        let removed = last.and_then(|last| table.remove(last));
        let empty = || Error::KeyError("popitem(): dictionary is empty".into());
        removed
            .map(|entry| (entry.key, entry.value))
            .ok_or_else(empty)
    }

    /// The keys at this moment.
    pub fn keys(&self) -> Vec<Object> {
        self.lock().iter().map(|entry| entry.key.clone()).collect()
    }

    /// The values at this moment.
    pub fn values(&self) -> Vec<Object> {
        self.lock()
            .iter()
            .map(|entry| entry.value.clone())
            .collect()
    }

    /// The keys with their values at this moment.
    pub fn items(&self) -> Vec<(Object, Object)> {
        let pair = |entry: &Entry<Object>| (entry.key.clone(), entry.value.clone());
        self.lock().iter().map(pair).collect()
    }

    /// Removes all keys.
    pub fn clear(&self) {
        let mut removed = std::mem::replace(&mut *self.lock(), Table::new());
        let mut heap = Vec::new();
        empty(&mut removed, &mut heap);
        burial::bury(heap);
    }

    /// Another dict with the same keys and values.
    pub fn copy(&self) -> Self {
        let table = Mutex::new(self.snapshot());
        Self(Arc::new(Node { table }))
    }

    pub(crate) fn snapshot(&self) -> Table<Object> {
        self.lock().clone()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Table<Object>> {
        super::lock(&self.0.table)
    }

    /// The lock, or nothing if others have it and this may not `wait`.
    pub(crate) fn lock_if(&self, wait: bool) -> Option<MutexGuard<'_, Table<Object>>> {
        super::lock_if(&self.0.table, wait)
    }

    /// How many handles refer to it.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Moves what only this handle holds to the heap.
    pub(crate) fn bury_in(self, heap: &mut Vec<Object>) {
        if let Some(mut node) = Arc::into_inner(self.0) {
            empty(super::get_mut(&mut node.table), heap);
        }
    }
}

#[inline]
fn put(
    table: &mut Table<Object>,
    hash: u64,
    key: Object,
    value: Object,
    found: Option<usize>,
) -> Option<Object> {
    match found.and_then(|position| table.get_mut(position)) {
        Some(entry) => Some(std::mem::replace(&mut entry.value, value)),
        None => {
            table.push(hash, key, value);
            None
        }
    }
}

impl Default for Dict {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        Object::Dict(self.clone()) == Object::Dict(other.clone())
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Object::Dict(self.clone()), f)
    }
}
