//! `multiprocessing.managers.SetProxy`.

use super::error::RemoteError;
use super::iterator::IteratorProxy;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// A set in a manager's process; a server of Python 3.14 has them.
    ///
    /// Each method is one call of the server, which no other call divides. Sets that a method takes
    /// or returns are sequences of items.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let seen = manager.set(["a".to_string()])?;
    /// seen.add("b")?;
    /// assert!(seen.contains("a")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.set`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.set).
    SetProxy<T>
}

/// Methods that take another set; `$returns` is what they give.
macro_rules! with_others {
    ($($(#[$doc:meta])* $name:ident -> $returns:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the server cannot be asked.
        pub fn $name<I>(&self, other: I) -> Result<$returns, RemoteError>
        where
            I: IntoIterator<Item: Into<T>>,
        {
            let other: Vec<T> = other.into_iter().map(Into::into).collect();
            self.proxy.call_as(stringify!($name), (other,))
        }
    )*};
}

/// The methods of a set; each fails as [`Proxy::call`](super::Proxy::call) does.
impl<T: Item> SetProxy<T> {
    /// How many items the set has.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn len(&self) -> Result<usize, RemoteError> {
        self.proxy.call_as("__len__", ())
    }

    /// Whether the set has no items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn is_empty(&self) -> Result<bool, RemoteError> {
        Ok(self.len()? == 0)
    }

    /// Whether an item is in the set.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if it is not hashable.
    pub fn contains<V: Into<T>>(&self, item: V) -> Result<bool, RemoteError> {
        self.proxy.call_as("__contains__", (item.into(),))
    }

    /// Adds an item.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if it is not hashable.
    pub fn add<V: Into<T>>(&self, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("add", (item.into(),))
    }

    /// Removes an item.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if it is not there.
    pub fn remove<V: Into<T>>(&self, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("remove", (item.into(),))
    }

    /// Removes an item, if it is there.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if it is not hashable.
    pub fn discard<V: Into<T>>(&self, item: V) -> Result<(), RemoteError> {
        self.proxy.call_as("discard", (item.into(),))
    }

    /// Removes some item and returns it.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if the set is empty.
    pub fn pop(&self) -> Result<T, RemoteError> {
        self.proxy.call_as("pop", ())
    }

    /// Removes all items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn clear(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("clear", ())
    }

    /// Copies of all items.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn copy(&self) -> Result<Vec<T>, RemoteError> {
        self.proxy.call_as("copy", ())
    }

    /// Iterates over the items in the server, one call each; [`copy`](Self::copy) is one for all.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn iter(&self) -> Result<IteratorProxy<T>, RemoteError> {
        self.proxy.call_proxy("__iter__", ()).map(Into::into)
    }

    with_others! {
        /// Adds the items of another set.
        update -> ();
        /// Removes the items of another set.
        difference_update -> ();
        /// Keeps the items that are in another set, too.
        intersection_update -> ();
        /// Adds the items of another set, and removes those that both have.
        symmetric_difference_update -> ();
        /// The items of both sets.
        union -> Vec<T>;
        /// The items that are not in another set.
        difference -> Vec<T>;
        /// The items that are in another set, too.
        intersection -> Vec<T>;
        /// The items that are in one of both sets alone.
        symmetric_difference -> Vec<T>;
        /// Whether no item is in another set.
        isdisjoint -> bool;
        /// Whether all items are in another set.
        issubset -> bool;
        /// Whether all items of another set are in this one.
        issuperset -> bool;
    }
}
