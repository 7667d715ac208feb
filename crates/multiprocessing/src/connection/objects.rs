//! Values in Python's pickles, for a connection whose other end is CPython's.

use hilos_core::time::{Deadline, Timeout};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Connection;
use crate::error::Error;

/// The newest protocol that every CPython of today reads: what its own connections write up to 3.13.
const PROTOCOL: u8 = 4;

impl Connection {
    /// Sends a value as CPython's `send` does: pickled, so that its `recv` returns it; with the feature
    /// `pickle`.
    ///
    /// Use it towards CPython, with an [`Object`](hilos_pickle::Object) or any type that serialises as
    /// Python's: numbers, strings, tuples, vectors, maps, and structures as dicts. Between programs of
    /// hilos's [`send`](Self::send) is faster and takes queues and locks along.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use hilos_multiprocessing as multiprocessing;
    /// use hilos_pickle::Object;
    ///
    /// let (here, there) = multiprocessing::pipe(true)?;
    /// here.send_object(&("spam", [1, 2]))?;
    /// // Python: connection.recv() == ('spam', [1, 2]); connection.send({'eggs': 3})
    /// let (name, numbers): (String, Vec<i64>) = there.recv_object()?;
    /// there.send_object(&BTreeMap::from([("eggs", 3)]))?;
    /// let answer: Object = here.recv_object()?;
    /// assert_eq!(format!("{answer:?}"), "{'eggs': 3}");
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Encoding`] if the value cannot be pickled; otherwise as [`send`](Self::send).
    ///
    /// # Blocking
    /// As `send`.
    ///
    /// # Differences from Python
    /// - Locks, queues and connections do not travel like that.
    ///
    /// Mirrors [`Connection.send`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.Connection.send).
    pub fn send_object<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Error> {
        let bytes = hilos_pickle::dumps_with_protocol(value, PROTOCOL);
        self.send_bytes(&bytes.map_err(Error::encoding::<T>)?)
    }

    /// Receives a value that CPython's `send` has sent, or [`send_object`](Self::send_object); with the
    /// feature `pickle`.
    ///
    /// A pickle is data here and runs nothing: an object of a class of Python's arrives as an
    /// [`Object`](hilos_pickle::Object) that names the class.
    ///
    /// # Errors
    /// [`Error::Encoding`] if the message is no pickle or not of a `T`, which costs this message alone;
    /// otherwise as [`recv`](Self::recv).
    ///
    /// # Blocking
    /// Without a limit.
    ///
    /// Mirrors [`Connection.recv`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.Connection.recv).
    pub fn recv_object<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.recv_object_until(Deadline::NEVER)
    }

    /// Like [`recv_object`](Self::recv_object), and gives up after `timeout`; nothing is lost then.
    ///
    /// # Errors
    /// Those of `recv_object`, and [`Error::Timeout`].
    pub fn recv_object_timeout<T, D>(&self, timeout: D) -> Result<T, Error>
    where
        T: DeserializeOwned,
        D: Into<Timeout>,
    {
        self.recv_object_until(timeout.into().checked()?)
    }

    fn recv_object_until<T: DeserializeOwned>(&self, deadline: Deadline) -> Result<T, Error> {
        let bytes = self.recv_bytes_until(usize::MAX, deadline)?;
        hilos_pickle::loads(&bytes).map_err(Error::encoding::<T>)
    }
}
