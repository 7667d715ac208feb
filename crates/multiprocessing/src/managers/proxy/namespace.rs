//! `multiprocessing.managers.NamespaceProxy`.

use hilos_pickle::{Dict, Global, Object};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::change;
use super::error::RemoteError;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// Named values in a manager's process.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    ///
    /// let manager = multiprocessing::manager()?;
    /// let global = manager.namespace()?;
    /// global.set("x", 10)?;
    /// global.set("y", "hello")?;
    /// assert_eq!(global.get::<i64>("x")?, 10);
    /// assert_eq!(global.to_string(), "Namespace(x=10, y='hello')");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Differences from Python
    /// - `ns.x` is [`get("x")`](Self::get), `ns.x = 1` [`set("x", 1)`](Self::set) and `del ns.x`
    ///   [`delete("x")`](Self::delete).
    /// - What is read is a copy, in Python too: [`set`](Self::set) it again once it is changed, or
    ///   let it be a proxy.
    ///
    /// Mirrors [`multiprocessing.managers.Namespace`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.Namespace).
    NamespaceProxy<>
}

impl NamespaceProxy {
    /// A copy of the value of a name.
    ///
    /// # Errors
    /// [`RemoteError::Attribute`] if there is none.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, RemoteError> {
        self.proxy.call_as("__getattribute__", (name,))
    }

    /// Sets the value of a name.
    ///
    /// # Errors
    /// [`RemoteError::Conversion`] if it cannot be sent.
    pub fn set<T: Serialize>(&self, name: &str, value: T) -> Result<(), RemoteError> {
        self.proxy.call_as("__setattr__", (name, value))
    }

    /// Adds to the number of a name in one step, and returns the sum.
    ///
    /// # Errors
    /// [`RemoteError::Attribute`] if there is no such name, or if the manager is CPython's, which cannot;
    /// [`RemoteError::Type`] if it is no number, [`RemoteError::Overflow`] if the sum has more than 128
    /// bits.
    pub fn incr<T: Item>(&self, name: &str, by: T) -> Result<T, RemoteError> {
        change::incr(&self.proxy, name, by)
    }

    /// Has the server call `function` with the value of a name and `args`, put the result there in one
    /// step, and return it; see [`DictProxy::update_by`](super::DictProxy::update_by).
    ///
    /// # Errors
    /// As there; [`RemoteError::Attribute`] if there is no such name.
    pub fn update_by<T, A>(&self, name: &str, function: &Global, args: A) -> Result<T, RemoteError>
    where
        T: Item,
        A: Serialize,
    {
        change::update_by(&self.proxy, name, function, args)
    }

    /// Removes a name.
    ///
    /// # Errors
    /// [`RemoteError::Attribute`] if there is none.
    pub fn delete(&self, name: &str) -> Result<(), RemoteError> {
        self.proxy.call_as("__delattr__", (name,))
    }

    /// Copies of all values by name: Python's `vars`.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub fn vars(&self) -> Result<Dict, RemoteError> {
        match self.proxy.get_value()? {
            Object::Instance(namespace) => match namespace.state() {
                Some(Object::Dict(names)) => Ok(names),
                None => Ok(Dict::new()),
                Some(other) => Err(RemoteError::conversion(format_args!(
                    "a namespace has a dict, not {other:?}"
                ))),
            },
            other => Err(RemoteError::conversion(format_args!(
                "expected a namespace, got {other:?}"
            ))),
        }
    }
}
