//! Python's list.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use super::equality::identical_or_equal;
use super::{Object, Slice, burial, sort};
use crate::Error;

/// How often a list is sorted anew that others change meanwhile.
const ATTEMPTS: usize = 100;

/// Objects in a sequence that can change, Python's `list`; clones are the same list.
///
/// Positions count from the end where they are negative. Each method is atomic.
///
/// ```
/// use hilos_pickle::{List, Object};
///
/// let list = List::from_iter([1, 2, 3].map(Object::from));
/// list.append("four");
/// assert_eq!(list.get(-1)?, Object::from("four"));
/// assert_eq!(list.pop(0)?, Object::from(1));
/// assert_eq!(format!("{list:?}"), "[2, 3, 'four']");
/// # Ok::<(), hilos_pickle::Error>(())
/// ```
///
/// # Differences from Python
///
/// A list that holds itself is freed when something breaks the cycle, such as [`clear`](Self::clear).
///
/// CPython: [`list`](https://docs.python.org/3.14/library/stdtypes.html#lists)
#[derive(Clone)]
pub struct List(Arc<Node>);

struct Node {
    items: Mutex<Vec<Object>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut heap = Vec::new();
        self.empty_into(&mut heap);
        burial::bury(heap);
    }
}

impl Node {
    fn empty_into(&mut self, heap: &mut Vec<Object>) {
        let mut items = std::mem::take(super::get_mut(&mut self.items));
        burial::sort_out(&mut items, heap);
    }
}

impl List {
    /// An empty list.
    pub fn new() -> Self {
        Self::from(Vec::new())
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a position, `l[i]`.
    ///
    /// # Errors
    ///
    /// An `IndexError` if the position is outside the list.
    pub fn get(&self, index: i64) -> Result<Object, Error> {
        let items = self.lock();
        let position = position(items.len(), index, "list index out of range")?;
        Ok(items[position].clone())
    }

    /// Replaces the item at a position, `l[i] = item`.
    ///
    /// # Errors
    ///
    /// An `IndexError` if the position is outside the list.
    pub fn set<T: Into<Object>>(&self, index: i64, item: T) -> Result<(), Error> {
        let item = item.into();
        let mut items = self.lock();
        let position = position(items.len(), index, "list assignment index out of range")?;
        let old = std::mem::replace(&mut items[position], item);
        drop(items);
        drop(old);
        Ok(())
    }

    /// Replaces the item at a position if it is still `current`, the very object; whether it was. For a
    /// change that depends on the item, which others change too.
    ///
    /// # Errors
    ///
    /// An `IndexError` if the position is outside the list.
    pub fn replace_if<T: Into<Object>>(
        &self,
        index: i64,
        current: &Object,
        item: T,
    ) -> Result<bool, Error> {
        let item = item.into();
        let mut items = self.lock();
        let position = position(items.len(), index, "list assignment index out of range")?;
        if !items[position].is(current) {
            return Ok(false);
        }
        let old = std::mem::replace(&mut items[position], item);
        drop(items);
        drop(old);
        Ok(true)
    }

    /// Removes the item at a position, `del l[i]`.
    ///
    /// # Errors
    ///
    /// An `IndexError` if the position is outside the list.
    pub fn delete(&self, index: i64) -> Result<(), Error> {
        self.take(index, "list assignment index out of range")
            .map(drop)
    }

    /// Removes the item at a position, `l.pop(i)`, and returns it; the last one is at -1.
    ///
    /// # Errors
    ///
    /// An `IndexError` if the position is outside the list.
    pub fn pop(&self, index: i64) -> Result<Object, Error> {
        let complaint = match self.is_empty() {
            true => "pop from empty list",
            false => "pop index out of range",
        };
        self.take(index, complaint)
    }

    fn take(&self, index: i64, complaint: &str) -> Result<Object, Error> {
        let mut items = self.lock();
        let position = position(items.len(), index, complaint)?;
        Ok(items.remove(position))
    }

    /// Adds an item at the end.
    pub fn append<T: Into<Object>>(&self, item: T) {
        let item = item.into();
        self.lock().push(item);
    }

    /// Adds items at the end.
    pub fn extend<I: IntoIterator<Item = Object>>(&self, items: I) {
        // Collected first, since the iterator may look at this list.
        let items: Vec<_> = items.into_iter().collect();
        self.lock().extend(items);
    }

    /// Puts an item before a position, or at the end if the position is beyond it.
    pub fn insert<T: Into<Object>>(&self, index: i64, item: T) {
        let item = item.into();
        let mut items = self.lock();
        let length = items.len();
        items.insert(super::slice::clamp(index, length), item);
    }

    /// Removes the first item that equals this one.
    ///
    /// # Errors
    ///
    /// A `ValueError` if there is none.
    pub fn remove<T: Into<Object>>(&self, item: T) -> Result<(), Error> {
        let absent = || Error::ValueError("list.remove(x): x not in list".into());
        let wanted = item.into();
        loop {
            let found = self.find(&wanted).ok_or_else(absent)?;
            let mut items = self.lock();
            // Unless another thread has moved it meanwhile.
            if items.get(found.0).is_some_and(|item| item.is(&found.1)) {
                items.remove(found.0);
                return Ok(());
            }
        }
    }

    /// The position of the first item that equals this one.
    ///
    /// # Errors
    ///
    /// A `ValueError` if there is none.
    pub fn index<T: Into<Object>>(&self, item: T) -> Result<usize, Error> {
        self.index_in(item, &Slice::default())
    }

    /// The position of the first item of a slice that equals this one, `l.index(item, start, stop)`.
    ///
    /// # Errors
    ///
    /// A `ValueError` if there is none.
    pub fn index_in<T: Into<Object>>(&self, item: T, slice: &Slice) -> Result<usize, Error> {
        let (items, wanted) = (self.to_vec(), item.into());
        let (start, stop) = slice.bounds(items.len(), 1);
        let found = (start..stop).find(|&place| identical_or_equal(&items[place], &wanted));
        found.ok_or_else(|| Error::ValueError(format!("{wanted:?} is not in list")))
    }

    /// How many items equal this one.
    pub fn count<T: Into<Object>>(&self, item: T) -> usize {
        let wanted = item.into();
        let items = self.to_vec();
        items
            .iter()
            .filter(|item| identical_or_equal(item, &wanted))
            .count()
    }

    /// Whether an item equals this one, `item in l`.
    pub fn contains<T: Into<Object>>(&self, item: T) -> bool {
        self.find(&item.into()).is_some()
    }

    fn find(&self, wanted: &Object) -> Option<(usize, Object)> {
        let mut items = self.to_vec().into_iter().enumerate();
        items.find(|(_, item)| identical_or_equal(item, wanted))
    }

    /// Turns the order round.
    pub fn reverse(&self) {
        self.lock().reverse();
    }

    /// Sorts the items by Python's `<`, those that are equal in the order they have.
    ///
    /// # Errors
    ///
    /// A `TypeError` if two items have no order, a `ValueError` if they hold others and the list is changed by
    /// another thread all the while; the list is then as it was.
    pub fn sort(&self) -> Result<(), Error> {
        self.sort_by(sort::sorted)
    }

    /// Sorts the items by Python's `>`, those that are equal in the order they have: `l.sort(reverse=True)`.
    ///
    /// # Errors
    ///
    /// Those of [`sort`](Self::sort).
    pub fn sort_reversed(&self) -> Result<(), Error> {
        self.sort_by(sort::reversed)
    }

    fn sort_by(&self, sort: fn(Vec<Object>) -> Result<Vec<Object>, Error>) -> Result<(), Error> {
        let mut items = self.lock();
        // To compare what holds others takes their locks, perhaps this one.
        if items.iter().any(Object::is_container) {
            drop(items);
            return self.rearrange(sort);
        }
        *items = sort(items.clone())?;
        Ok(())
    }

    /// Gives the items the order that a function finds for them, which may take its time; it is called again if
    /// another thread has changed the list meanwhile.
    ///
    /// # Errors
    ///
    /// What the function says, and a `ValueError` if the list is changed all the while.
    pub fn rearrange<E: From<Error>>(
        &self,
        order: impl Fn(Vec<Object>) -> Result<Vec<Object>, E>,
    ) -> Result<(), E> {
        for _ in 0..ATTEMPTS {
            let before = self.to_vec();
            let ordered = order(before.clone())?;
            let mut items = self.lock();
            let unchanged = |(now, before): (&Object, &Object)| now.is(before);
            if items.len() == before.len() && items.iter().zip(&before).all(unchanged) {
                *items = ordered;
                return Ok(());
            }
        }
        Err(Error::ValueError("list modified during sort".into()).into())
    }

    /// Removes all items.
    pub fn clear(&self) {
        let items = std::mem::take(&mut *self.lock());
        drop(Self::from(items));
    }

    /// Another list of the same items.
    pub fn copy(&self) -> Self {
        Self::from(self.to_vec())
    }

    /// The items at this moment.
    pub fn to_vec(&self) -> Vec<Object> {
        self.lock().clone()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Object>> {
        super::lock(&self.0.items)
    }

    /// The lock, or nothing if others have it and this may not `wait`.
    pub(crate) fn lock_if(&self, wait: bool) -> Option<MutexGuard<'_, Vec<Object>>> {
        super::lock_if(&self.0.items, wait)
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
            node.empty_into(heap);
        }
    }
}

fn position(length: usize, index: i64, complaint: &str) -> Result<usize, Error> {
    let position = if index < 0 {
        index.saturating_add_unsigned(length as u64)
    } else {
        index
    };
    let position = usize::try_from(position)
        .ok()
        .filter(|&position| position < length);
    position.ok_or_else(|| Error::IndexError(complaint.into()))
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Vec<Object>> for List {
    fn from(items: Vec<Object>) -> Self {
        let items = Mutex::new(items);
        Self(Arc::new(Node { items }))
    }
}

impl FromIterator<Object> for List {
    fn from_iter<I: IntoIterator<Item = Object>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<Vec<_>>())
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        Object::List(self.clone()) == Object::List(other.clone())
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Object::List(self.clone()), f)
    }
}
