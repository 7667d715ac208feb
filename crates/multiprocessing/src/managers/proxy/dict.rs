//! `multiprocessing.managers.DictProxy`.

use hilos_pickle::{Dict, Global, Object};
use serde::Serialize;

use super::change;
use super::error::RemoteError;
use super::iterator::IteratorProxy;
use super::python;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// A dict in a manager's process.
    ///
    /// Use it for values that several processes look up and change by key. `DictProxy` without types
    /// is of Python's objects. Each method is one call of the server, which no other call divides:
    /// [`setdefault`](Self::setdefault), [`pop`](Self::pop) and [`update`](Self::update) need no lock.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let d = manager.dict()?;
    /// d.insert(1, "1")?;
    /// d.insert("2", 2)?;
    /// d.insert(0.25, ())?;
    /// assert_eq!(d.to_string(), "{1: '1', '2': 2, 0.25: None}");
    /// let ages = manager.dict_of::<String, i64>()?;
    /// ages.insert("Ana", 30)?;
    /// assert_eq!(ages.get("Ana")?, Some(30));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Differences from Python
    /// - `d[k]` is [`get_item`](Self::get_item), `d[k] = x` [`insert`](Self::insert), `del d[k]`
    ///   [`delete`](Self::delete) and `k in d` [`contains`](Self::contains).
    /// - What is read is a copy, in Python too, where a change of it is lost in silence. Here
    ///   [`update_with`](Self::update_with) writes it back, and [`incr`](Self::incr) and
    ///   [`update_by`](Self::update_by) change it in the server; or let the values be proxies themselves:
    ///   a `DictProxy<String, ListProxy<i64>>` has lists that change for everybody.
    /// - `copy`, `keys`, `values` and `items` are vectors in the order of the dict.
    ///
    /// Mirrors [`multiprocessing.managers.SyncManager.dict`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.SyncManager.dict).
    DictProxy<K, V>
}

/// The methods of a dict; each fails as [`Proxy::call`](super::Proxy::call) does.
impl<K: Item, V: Item> DictProxy<K, V> {
    /// How many keys the dict has.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn len(&self) -> Result<usize, RemoteError> {
        self.proxy.call_as("__len__", ())
    }

    /// Whether the dict has no keys.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn is_empty(&self) -> Result<bool, RemoteError> {
        Ok(self.len()? == 0)
    }

    /// A copy of the value of a key, if it is there.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if the key is not hashable.
    pub fn get<Q: Into<K>>(&self, key: Q) -> Result<Option<V>, RemoteError> {
        // Python's `get` would not tell a `None` in the dict from none.
        match self.get_item(key) {
            Ok(value) => Ok(Some(value)),
            Err(RemoteError::Key(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A copy of the value of a key, or `default`.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if the key is not hashable.
    pub fn get_or<Q: Into<K>, D: Into<V>>(&self, key: Q, default: D) -> Result<V, RemoteError> {
        self.proxy.call_as("get", (key.into(), default.into()))
    }

    /// A copy of the value of a key: Python's `d[key]`.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if it is not there.
    pub fn get_item<Q: Into<K>>(&self, key: Q) -> Result<V, RemoteError> {
        self.proxy.call_as("__getitem__", (key.into(),))
    }

    /// Sets the value of a key: Python's `d[key] = value`.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if the key is not hashable.
    pub fn insert<Q: Into<K>, W: Into<V>>(&self, key: Q, value: W) -> Result<(), RemoteError> {
        self.proxy
            .call_as("__setitem__", (key.into(), value.into()))
    }

    /// Removes a key: Python's `del d[key]`.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if it is not there.
    pub fn delete<Q: Into<K>>(&self, key: Q) -> Result<(), RemoteError> {
        self.proxy.call_as("__delitem__", (key.into(),))
    }

    /// Reads a value, has `change` change it, and writes it back; returns what `change` does.
    ///
    /// These are two calls: hold a lock of the manager meanwhile if others write the value too, or let
    /// [`incr`](Self::incr) or [`update_by`](Self::update_by) do it in one.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if the key is not there.
    pub fn update_with<Q, R, F>(&self, key: Q, change: F) -> Result<R, RemoteError>
    where
        Q: Into<K>,
        F: FnOnce(&mut V) -> R,
    {
        let key = key.into();
        let mut value: V = self.proxy.call_as("__getitem__", (&key,))?;
        let result = change(&mut value);
        self.proxy.call("__setitem__", (&key, &value))?;
        Ok(result)
    }

    /// Adds to the number of a key in one step, and returns the sum; a key that is not there counts as 0.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let hits = manager.dict_of::<String, i64>()?;
    /// assert_eq!(hits.incr("/", 1)?, 1);
    /// assert_eq!(hits.incr("/", 2)?, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RemoteError::Type`] if the value is no number, [`RemoteError::Overflow`] if the sum has more than
    /// 128 bits; [`RemoteError::Attribute`] if the manager is CPython's, which cannot.
    pub fn incr<Q: Into<K>, W: Into<V>>(&self, key: Q, by: W) -> Result<V, RemoteError> {
        change::incr(&self.proxy, key.into(), by.into())
    }

    /// Has the server call `function` with the value of a key and `args`, put the result there in one
    /// step, and return it.
    ///
    /// The function is one that the server [knows](crate::managers::BaseManager::register_function). It
    /// is called again if somebody else has changed the value meanwhile, and so returns a new value
    /// instead of changing the one that it is given.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if the key is not there, what the function raises, and
    /// [`RemoteError::Attribute`] if the server does not know it, or is CPython's and cannot.
    pub fn update_by<Q, A>(&self, key: Q, function: &Global, args: A) -> Result<V, RemoteError>
    where
        Q: Into<K>,
        A: Serialize,
    {
        change::update_by(&self.proxy, key.into(), function, args)
    }

    /// Whether a key is there.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if the key is not hashable.
    pub fn contains<Q: Into<K>>(&self, key: Q) -> Result<bool, RemoteError> {
        self.proxy.call_as("__contains__", (key.into(),))
    }

    /// The value of a key; one that is not there is inserted with `default` before.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if the key is not hashable.
    pub fn setdefault<Q, D>(&self, key: Q, default: D) -> Result<V, RemoteError>
    where
        Q: Into<K>,
        D: Into<V>,
    {
        let args = (key.into(), default.into());
        self.proxy.call_as("setdefault", args)
    }

    /// Inserts many pairs, all at once.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if a key is not hashable; those before it are in the dict.
    pub fn update<I, Q, W>(&self, pairs: I) -> Result<(), RemoteError>
    where
        I: IntoIterator<Item = (Q, W)>,
        Q: Into<K>,
        W: Into<V>,
    {
        let pairs = pairs
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        self.proxy
            .call_as("update", (pairs.collect::<Vec<(K, V)>>(),))
    }

    /// Removes a key and returns its value.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if it is not there.
    pub fn pop<Q: Into<K>>(&self, key: Q) -> Result<V, RemoteError> {
        self.proxy.call_as("pop", (key.into(),))
    }

    /// Removes a key and returns its value, or `default` if it is not there.
    ///
    /// # Errors
    /// [`RemoteError::Type`] if the key is not hashable.
    pub fn pop_or<Q: Into<K>, D: Into<V>>(&self, key: Q, default: D) -> Result<V, RemoteError> {
        self.proxy.call_as("pop", (key.into(), default.into()))
    }

    /// Removes the key that was inserted last, and returns it and its value.
    ///
    /// # Errors
    /// [`RemoteError::Key`] if the dict is empty.
    pub fn popitem(&self) -> Result<(K, V), RemoteError> {
        self.proxy.call_as("popitem", ())
    }

    /// Removes all keys.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn clear(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("clear", ())
    }

    /// The keys.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn keys(&self) -> Result<Vec<K>, RemoteError> {
        self.view("keys")
    }

    /// Copies of the values.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn values(&self) -> Result<Vec<V>, RemoteError> {
        self.view("values")
    }

    /// The keys and copies of the values.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn items(&self) -> Result<Vec<(K, V)>, RemoteError> {
        self.view("items")
    }

    /// The keys and copies of the values: Python's `d.copy()`.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn copy(&self) -> Result<Vec<(K, V)>, RemoteError> {
        let copy = self.proxy.call("copy", ())?;
        let copy = Dict::try_from(&copy).map_err(RemoteError::conversion)?;
        let pairs = copy.items().into_iter().map(Object::from);
        self.proxy.convert(&Object::List(pairs.collect()))
    }

    /// Iterates over the keys in the server, one call each; [`keys`](Self::keys) is one call for all.
    ///
    /// The iterator fails with [`RemoteError::Runtime`] if the dict gets or loses keys meanwhile.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn iter(&self) -> Result<IteratorProxy<K>, RemoteError> {
        self.proxy.call_proxy("__iter__", ()).map(Into::into)
    }

    fn view<T: Item>(&self, method: &str) -> Result<Vec<T>, RemoteError> {
        let items = python::listed(self.proxy.call(method, ())?);
        self.proxy.convert(&items)
    }
}
