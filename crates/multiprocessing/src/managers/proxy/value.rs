//! `multiprocessing.managers.ValueProxy`.

use hilos_pickle::Global;
use serde::Serialize;

use super::change;
use super::error::RemoteError;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// One value in a manager's process.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let value = manager.value("d", 0.5)?;
    /// value.set(1.5)?;
    /// assert_eq!(value.get()?, 1.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Differences from Python
    /// - `value.value` is [`get`](Self::get) and [`set`](Self::set).
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.Value`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.Value).
    ValueProxy<T>
}

impl<T: Item> ValueProxy<T> {
    /// A copy of the value.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn get(&self) -> Result<T, RemoteError> {
        self.proxy.call_as("get", ())
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn set<V: Into<T>>(&self, value: V) -> Result<(), RemoteError> {
        self.proxy.call_as("set", (value.into(),))
    }

    /// Reads the value, has `change` change it, and writes it back; returns what `change` does.
    ///
    /// These are two calls: hold a lock of the manager meanwhile if others write the value too, or let
    /// [`incr`](Self::incr) or [`update_by`](Self::update_by) do it in one.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn update<R, F: FnOnce(&mut T) -> R>(&self, change: F) -> Result<R, RemoteError> {
        let mut value = self.get()?;
        let result = change(&mut value);
        self.set(value)?;
        Ok(result)
    }

    /// Adds to the number in one step, and returns the sum.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if it is no number, [`RemoteError::Overflow`] if the sum has more than 128
    /// bits; [`RemoteError::Attribute`] if the manager is CPython's, which cannot.
    pub fn incr<V: Into<T>>(&self, by: V) -> Result<T, RemoteError> {
        change::incr(&self.proxy, "value", by.into())
    }

    /// Has the server call `function` with the value and `args`, make the result the value in one step,
    /// and return it; see [`DictProxy::update_by`](super::DictProxy::update_by).
    ///
    /// # Errors
    /// As there.
    pub fn update_by<A>(&self, function: &Global, args: A) -> Result<T, RemoteError>
    where
        A: Serialize,
    {
        change::update_by(&self.proxy, "value", function, args)
    }
}
