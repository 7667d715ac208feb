//! `multiprocessing.managers.ListProxy`.

use std::ops::Range;

use hilos_pickle::{Global, Object, Slice};
use serde::Serialize;

use super::change;
use super::error::RemoteError;
use super::iterator::by_index;
use super::python;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// A list in a manager's process.
    ///
    /// Use it for values that several processes add to and look at. `ListProxy` without a type is of
    /// Python's objects. Each method is one call of the server, which no other call divides.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let list = manager.list(0..10)?;
    /// list.reverse()?;
    /// assert_eq!(list.to_string(), "[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Differences from Python
    /// - `l[i]`, `l[i] = x` and `del l[i]` are [`get`](Self::get), [`set`](Self::set) and
    ///   [`delete`](Self::delete); with a slice `get_slice`, `set_slice` and `delete_slice`.
    /// - What is read is a copy, in Python too, where a change of it is lost in silence. Here
    ///   [`update_with`](Self::update_with) writes it back; or let the items be proxies themselves:
    ///   a `ListProxy<ListProxy<i64>>` has lists that change for everybody.
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.list`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.list).
    ListProxy<T>
}

/// The methods of a list; each fails as [`Proxy::call`](super::Proxy::call) does.
impl<T: Item> ListProxy<T> {
    /// How many items the list has.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn len(&self) -> Result<usize, RemoteError> {
        self.proxy.call_as("__len__", ())
    }

    /// Whether the list has no items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn is_empty(&self) -> Result<bool, RemoteError> {
        Ok(self.len()? == 0)
    }

    /// A copy of the item at an index; a negative one counts from the end.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none.
    pub fn get(&self, index: i64) -> Result<T, RemoteError> {
        self.proxy.call_as("__getitem__", (index,))
    }

    /// Replaces the item at an index.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none.
    pub fn set<V: Into<T>>(&self, index: i64, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("__setitem__", (index, item.into()))
    }

    /// Removes the item at an index.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none.
    pub fn delete(&self, index: i64) -> Result<(), RemoteError> {
        self.proxy.call_as("__delitem__", (index,))
    }

    /// Reads an item, has `change` change it, and writes it back; returns what `change` does.
    ///
    /// These are two calls: hold a lock of the manager meanwhile if others write the item too, or let
    /// [`incr`](Self::incr) or [`update_by`](Self::update_by) do it in one.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none.
    pub fn update_with<R, F>(&self, index: i64, change: F) -> Result<R, RemoteError>
    where
        F: FnOnce(&mut T) -> R,
    {
        let mut item = self.get(index)?;
        let result = change(&mut item);
        self.set(index, item)?;
        Ok(result)
    }

    /// Adds to the number at an index in one step, and returns the sum.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none, [`RemoteError::Type`] if it is no number,
    /// [`RemoteError::Overflow`] if the sum has more than 128 bits; [`RemoteError::Attribute`] if the
    /// manager is CPython's, which cannot.
    pub fn incr<W: Into<T>>(&self, index: i64, by: W) -> Result<T, RemoteError> {
        change::incr(&self.proxy, index, by.into())
    }

    /// Has the server call `function` with the item at an index and `args`, put the result there in one
    /// step, and return it; see [`DictProxy::update_by`](super::DictProxy::update_by).
    ///
    /// An index is a place in the list: whoever inserts or removes items before it meanwhile moves
    /// another item there.
    ///
    /// # Errors
    /// As there; [`RemoteError::Index`] if there is no such item.
    pub fn update_by<A>(&self, index: i64, function: &Global, args: A) -> Result<T, RemoteError>
    where
        A: Serialize,
    {
        change::update_by(&self.proxy, index, function, args)
    }

    /// Copies of the items of a slice.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn get_slice(&self, slice: Slice) -> Result<Vec<T>, RemoteError> {
        self.proxy.call_as("__getitem__", (python::slice(slice),))
    }

    /// Replaces the items of a slice.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if the slice has steps, and not as many items.
    pub fn set_slice<I>(&self, slice: Slice, items: I) -> Result<(), RemoteError>
    where
        I: IntoIterator<Item: Into<T>>,
    {
        let args = (python::slice(slice), collect(items));
        self.proxy.call_as("__setitem__", args)
    }

    /// Removes the items of a slice.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn delete_slice(&self, slice: Slice) -> Result<(), RemoteError> {
        self.proxy.call_as("__delitem__", (python::slice(slice),))
    }

    /// Copies of all items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn to_vec(&self) -> Result<Vec<T>, RemoteError> {
        self.get_slice(Slice::default())
    }

    /// Copies of all items: Python's name of [`to_vec`](Self::to_vec).
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn copy(&self) -> Result<Vec<T>, RemoteError> {
        self.to_vec()
    }

    /// Copies of all items, the last one first.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn reversed(&self) -> Result<Vec<T>, RemoteError> {
        self.get_slice(Slice::new(None, None, -1))
    }

    /// Iterates over the items by their index, one call each, while others may change the list.
    ///
    /// An error that every call would have, because the server or the list is gone or does not answer,
    /// is the last one.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, RemoteError>> + '_ {
        by_index(|index| self.get(index))
    }

    /// Whether an item equals this value.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn contains<V: Into<T>>(&self, item: V) -> Result<bool, RemoteError> {
        self.proxy.call_as("__contains__", (item.into(),))
    }

    /// Adds an item at the end.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn append<V: Into<T>>(&self, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("append", (item.into(),))
    }

    /// Adds items at the end, all at once.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn extend<I>(&self, items: I) -> Result<(), RemoteError>
    where
        I: IntoIterator<Item: Into<T>>,
    {
        self.proxy.call_as("extend", (collect::<T, _>(items),))
    }

    /// Adds an item before an index.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn insert<V: Into<T>>(&self, index: i64, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("insert", (index, item.into()))
    }

    /// Removes the last item and returns it.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if the list is empty.
    pub fn pop(&self) -> Result<T, RemoteError> {
        self.proxy.call_as("pop", ())
    }

    /// Removes the item at an index and returns it.
    ///
    /// # Errors
    /// [`RemoteError::Index`] if there is none.
    pub fn pop_at(&self, index: i64) -> Result<T, RemoteError> {
        self.proxy.call_as("pop", (index,))
    }

    /// Removes the first item that equals this value.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if there is none.
    pub fn remove<V: Into<T>>(&self, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("remove", (item.into(),))
    }

    /// The index of the first item that equals this value.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if there is none.
    pub fn index<V: Into<T>>(&self, item: V) -> Result<usize, RemoteError> {
        self.proxy.call_as("index", (item.into(),))
    }

    /// The index of the first item among those of a `range` that equals this value: `index(item, start, stop)`.
    ///
    /// # Errors
    /// [`RemoteError::Value`] if there is none.
    pub fn index_in<V: Into<T>>(&self, item: V, range: Range<usize>) -> Result<usize, RemoteError> {
        let Range { start, end } = range;
        self.proxy.call_as("index", (item.into(), start, end))
    }

    /// How many items equal this value.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn count<V: Into<T>>(&self, item: V) -> Result<usize, RemoteError> {
        self.proxy.call_as("count", (item.into(),))
    }

    /// Turns the list round.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn reverse(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("reverse", ())
    }

    /// Sorts the items, the least one first.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if items cannot be compared.
    pub fn sort(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("sort", ())
    }

    /// Sorts the items, the greatest one first: Python's `sort(reverse=True)`.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if items cannot be compared.
    pub fn sort_reverse(&self) -> Result<(), RemoteError> {
        let kwargs = Object::from(python::dict([("reverse", true.into())]));
        self.proxy.call_with("sort", (), kwargs).map(drop)
    }

    /// Sorts the items by what a function of the server's gives for each: Python's `sort(key=key)`.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if what it gives cannot be compared; [`RemoteError::Traceback`] if the
    /// server does not know the function; what the function raises.
    pub fn sort_by_key(&self, key: &Global) -> Result<(), RemoteError> {
        let kwargs = Object::from(python::dict([("key", key.clone().into())]));
        self.proxy.call_with("sort", (), kwargs).map(drop)
    }

    /// Removes all items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn clear(&self) -> Result<(), RemoteError> {
        self.delete_slice(Slice::default())
    }

    /// Copies of the items, and these: Python's `l + items`.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn concat<I>(&self, items: I) -> Result<Vec<T>, RemoteError>
    where
        I: IntoIterator<Item: Into<T>>,
    {
        self.proxy.call_as("__add__", (collect::<T, _>(items),))
    }

    /// Copies of the items, `count` times: Python's `l * count`.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn repeat(&self, count: usize) -> Result<Vec<T>, RemoteError> {
        self.proxy.call_as("__mul__", (count,))
    }

    /// Has the list repeat its items: Python's `l *= count`.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn repeat_in_place(&self, count: usize) -> Result<(), RemoteError> {
        // The reply has all items, which nobody asked for.
        self.proxy.call("__imul__", (count,)).map(drop)
    }
}

fn collect<T, I: IntoIterator<Item: Into<T>>>(items: I) -> Vec<T> {
    items.into_iter().map(Into::into).collect()
}
