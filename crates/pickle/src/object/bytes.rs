//! Python's bytes and bytearray.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use super::lock;

/// An immutable sequence of bytes, Python's `bytes`; cloning it gives another handle to the same one.
///
/// A `Vec<u8>` would become a list of numbers; this is what makes it bytes.
///
/// ```
/// use hilos_pickle::{Bytes, Object};
///
/// let object = Object::from(Bytes::from(b"\x00ab'".as_slice()));
/// assert_eq!(object.to_string(), r#"b"\x00ab'""#);
/// ```
///
/// CPython: [`bytes`](https://docs.python.org/3.14/library/stdtypes.html#bytes-objects)
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Arc<[u8]>);

impl Bytes {
    /// How many handles refer to it.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::from(bytes))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::quote::bytes(self, f)
    }
}

/// Bytes that can change, Python's `bytearray`; clones are the same bytes.
///
/// ```
/// use hilos_pickle::ByteArray;
///
/// let bytes = ByteArray::from(b"ab".as_slice());
/// bytes.with(|bytes| bytes.push(b'c'));
/// assert_eq!(format!("{bytes:?}"), "bytearray(b'abc')");
/// ```
///
/// CPython: [`bytearray`](https://docs.python.org/3.14/library/stdtypes.html#bytearray-objects)
#[derive(Clone)]
pub struct ByteArray(Arc<Mutex<Vec<u8>>>);

impl ByteArray {
    /// Calls `function` with the bytes, while no other thread can use them.
    ///
    /// # Blocking
    ///
    /// Waits for a thread that is using the bytes; a call from inside `function` would wait for ever.
    pub fn with<R, F: FnOnce(&mut Vec<u8>) -> R>(&self, function: F) -> R {
        function(&mut self.lock())
    }

    /// A copy of the bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.lock().clone()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        lock(&self.0)
    }

    /// How many handles refer to it.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl From<&[u8]> for ByteArray {
    fn from(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl From<Vec<u8>> for ByteArray {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(bytes)))
    }
}

impl fmt::Debug for ByteArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::quote::byte_array(&self.to_vec(), f)
    }
}
