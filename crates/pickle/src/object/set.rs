//! Python's set and frozenset.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use super::equality::identical_or_equal;
use super::table::Table;
use super::{Object, burial, hash, lookup};
use crate::Error;

/// Distinct objects, Python's `set`; clones are the same set.
///
/// ```
/// use hilos_pickle::Set;
///
/// let set = Set::new();
/// assert!(set.add(1)?);
/// assert!(!set.add(1.0)?);
/// assert_eq!(format!("{set:?}"), "{1}");
/// # Ok::<(), hilos_pickle::Error>(())
/// ```
///
/// # Differences from Python
///
/// The items keep the order of insertion, where Python's have none.
///
/// CPython: [`set`](https://docs.python.org/3.14/library/stdtypes.html#set-types-set-frozenset)
#[derive(Clone)]
pub struct Set(Arc<Node>);

struct Node {
    table: Mutex<Table<()>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        bury(super::get_mut(&mut self.table));
    }
}

fn bury(table: &mut Table<()>) {
    let mut heap = Vec::new();
    empty(table, &mut heap);
    burial::bury(heap);
}

/// Moves the containers to the heap, so that the table can be dropped.
fn empty(table: &mut Table<()>, heap: &mut Vec<Object>) {
    let mut table = std::mem::replace(table, Table::new());
    burial::sort_out(table.iter_mut().map(|entry| &mut entry.key), heap);
}

impl Set {
    /// An empty set.
    pub fn new() -> Self {
        let table = Mutex::new(Table::new());
        Self(Arc::new(Node { table }))
    }

    /// A set of these objects.
    ///
    /// # Errors
    ///
    /// A `TypeError` if one of them cannot be hashed, as in all methods that take an item.
    pub fn from_items<I: IntoIterator<Item = Object>>(items: I) -> Result<Self, Error> {
        let set = Self::new();
        set.update(items)?;
        Ok(set)
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the item is there, `item in s`.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the item cannot be hashed.
    pub fn contains<T: Into<Object>>(&self, item: T) -> Result<bool, Error> {
        let item = wanted(item.into())?;
        lookup::with_entry(&item, || self.lock(), |_, _, found| found.is_some())
    }

    /// Adds an item; whether it was not there yet.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the item cannot be hashed.
    pub fn add<T: Into<Object>>(&self, item: T) -> Result<bool, Error> {
        let item = item.into();
        lookup::with_entry(
            &item,
            || self.lock(),
            |table, hash, found| {
                if found.is_none() {
                    table.push(hash, item.clone(), ());
                }
                found.is_none()
            },
        )
    }

    /// Adds many items.
    ///
    /// # Errors
    ///
    /// A `TypeError` at the first item that cannot be hashed; those before it are added.
    pub fn update<I: IntoIterator<Item = Object>>(&self, items: I) -> Result<(), Error> {
        items
            .into_iter()
            .try_for_each(|item| self.add(item).map(drop))
    }

    /// Removes an item if it is there; whether it was.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the item cannot be hashed.
    pub fn discard<T: Into<Object>>(&self, item: T) -> Result<bool, Error> {
        let item = wanted(item.into())?;
        lookup::with_entry(
            &item,
            || self.lock(),
            |table, _, found| found.and_then(|position| table.remove(position)).is_some(),
        )
    }

    /// Removes an item.
    ///
    /// # Errors
    ///
    /// A `KeyError` if the item is not there.
    pub fn remove<T: Into<Object>>(&self, item: T) -> Result<(), Error> {
        let item = item.into();
        match self.discard(item.clone())? {
            true => Ok(()),
            false => Err(Error::KeyError(item)),
        }
    }

    /// The items at this moment.
    pub fn to_vec(&self) -> Vec<Object> {
        self.lock().iter().map(|entry| entry.key.clone()).collect()
    }

    /// Removes all items.
    pub fn clear(&self) {
        let mut removed = std::mem::replace(&mut *self.lock(), Table::new());
        bury(&mut removed);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Table<()>> {
        super::lock(&self.0.table)
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

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        Object::Set(self.clone()) == Object::Set(other.clone())
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Object::Set(self.clone()), f)
    }
}

/// Distinct objects that stay as they are, Python's `frozenset`.
///
/// ```
/// use hilos_pickle::{FrozenSet, Object};
///
/// let set = FrozenSet::from_items([Object::from(1), Object::from(2), Object::from(1.0)])?;
/// assert_eq!(format!("{set:?}"), "frozenset({1, 2})");
/// # Ok::<(), hilos_pickle::Error>(())
/// ```
///
/// CPython: [`frozenset`](https://docs.python.org/3.14/library/stdtypes.html#frozenset)
#[derive(Clone)]
pub struct FrozenSet(Arc<FrozenNode>);

struct FrozenNode {
    table: Table<()>,
    hash: u64,
}

impl Drop for FrozenNode {
    fn drop(&mut self) {
        bury(&mut self.table);
    }
}

impl FrozenSet {
    /// A frozenset of these objects.
    ///
    /// # Errors
    ///
    /// A `TypeError` if one of them cannot be hashed.
    pub fn from_items<I: IntoIterator<Item = Object>>(items: I) -> Result<Self, Error> {
        let set = Set::from_items(items)?;
        let table = std::mem::replace(&mut *set.lock(), Table::new());
        let hash = hash::of_set(table.iter().map(|entry| entry.hash));
        Ok(Self(Arc::new(FrozenNode { table, hash })))
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.table.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Object> {
        self.0.table.iter().map(|entry| &entry.key)
    }

    /// Whether the item is there, `item in s`.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the item cannot be hashed.
    pub fn contains<T: Into<Object>>(&self, item: T) -> Result<bool, Error> {
        let item = wanted(item.into())?;
        let same = |other: &Object| Ok(identical_or_equal(&item, other));
        Ok(self.0.table.find(item.hash()?, same)?.is_some())
    }

    pub(crate) fn table(&self) -> &Table<()> {
        &self.0.table
    }

    pub(crate) fn hash(&self) -> u64 {
        self.0.hash
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
            empty(&mut node.table, heap);
        }
    }
}

/// What is looked for: in the place of a set, which has no hash, a frozenset of its items.
fn wanted(item: Object) -> Result<Object, Error> {
    match item {
        Object::Set(set) => Ok(FrozenSet::from_items(set.to_vec())?.into()),
        item => Ok(item),
    }
}

impl PartialEq for FrozenSet {
    fn eq(&self, other: &Self) -> bool {
        Object::FrozenSet(self.clone()) == Object::FrozenSet(other.clone())
    }
}

impl fmt::Debug for FrozenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Object::FrozenSet(self.clone()), f)
    }
}
