//! `multiprocessing.Array`.

use std::fmt;
use std::ops::Range;

use bytemuck::Pod;
use hilos_core::time::Deadline;
use serde::{Deserialize, Serialize};

use super::RawArray;
use super::locked::lock_methods;
use crate::error::Error;
use crate::synchronize::{Guard, RLock, RawLock};

/// Plain values in shared memory, with a lock.
///
/// Use it for data that several processes change. Each call acquires the lock;
/// [`lock`](Self::lock) holds it for several. A handle: clones are the same array, in this process
/// and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Array, Process};
///
/// fn negate(array: Array<i32>) -> Result<(), multiprocessing::Error> {
///     for i in 0..array.len() {
///         array.update(i, |value| *value = -*value)?;
///     }
///     Ok(())
/// }
///
/// let array = Array::new(0..5)?;
/// let process = Process::new(negate, (array.clone(),));
/// process.start()?;
/// process.join(None)?;
/// assert_eq!(array.to_vec()?, [0, -1, -2, -3, -4]);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `a[i]` is [`get`](Self::get) and [`set`](Self::set), a slice [`get_slice`](Self::get_slice)
///   and [`set_slice`](Self::set_slice); an index is not negative.
/// - `Array('i', 10)` is [`Array::zeroed(10)`](Self::zeroed), `Array(…, lock=False)` is
///   [`RawArray`]; of an `Array('c', …)`, an `Array<u8>`, `value` is [`value`](Self::value).
/// - When a process is killed while it holds the lock, the others get [`Error::OwnerDied`].
///
/// Mirrors [`multiprocessing.Array`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Array).
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "L: Serialize", deserialize = "L: Deserialize<'de>"))]
pub struct Array<T: Pod, L = RLock> {
    raw: RawArray<T>,
    lock: L,
}

impl<T: Pod> Array<T> {
    /// Puts values into shared memory, with a lock of their own.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptors left.
    pub fn new<I: IntoIterator<Item = T>>(items: I) -> Result<Self, Error> {
        Ok(Self::synchronized(RawArray::new(items)?, RLock::new()?))
    }

    /// Makes an array of `len` values whose bytes are all zero: Python's `Array('i', len)`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn zeroed(len: usize) -> Result<Self, Error> {
        Ok(Self::synchronized(RawArray::zeroed(len)?, RLock::new()?))
    }
}

impl<T: Pod, L: RawLock> Array<T, L> {
    /// Puts values into shared memory, with a lock that they may share with others: Python's
    /// `Array(…, lock=lock)`.
    ///
    /// # Errors
    /// As [`new`](Array::new).
    pub fn with_lock<I: IntoIterator<Item = T>>(items: I, lock: L) -> Result<Self, Error> {
        Ok(Self::synchronized(RawArray::new(items)?, lock))
    }

    /// Gives a lock to an array that has none: Python's `sharedctypes.synchronized`.
    pub fn synchronized(raw: RawArray<T>, lock: L) -> Self {
        Self { raw, lock }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The value at `index`.
    ///
    /// # Errors
    /// [`Error::Index`] if there is none; [`Error::OwnerDied`] if the process that holds the lock
    /// is dead.
    ///
    /// # Blocking
    /// While another thread holds the lock; this holds for all that follow.
    pub fn get(&self, index: usize) -> Result<T, Error> {
        let _held = self.lock()?;
        self.raw.get(index)
    }

    /// Changes the value at `index`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn set(&self, index: usize, value: T) -> Result<(), Error> {
        let _held = self.lock()?;
        self.raw.set(index, value)
    }

    /// Changes the value at `index` by `f`, under one lock; returns what `f` returns.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn update<R, F: FnOnce(&mut T) -> R>(&self, index: usize, f: F) -> Result<R, Error> {
        let _held = self.lock()?;
        let mut value = self.raw.get(index)?;
        let result = f(&mut value);
        self.raw.set(index, value)?;
        Ok(result)
    }

    /// The values of a range: Python's `array[2:5]`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_slice(&self, range: Range<usize>) -> Result<Vec<T>, Error> {
        let _held = self.lock()?;
        self.raw.get_slice(range)
    }

    /// Changes the values from `start` on: Python's `array[2:5] = values`.
    ///
    /// # Errors
    /// As [`get`](Self::get); nothing is changed then.
    pub fn set_slice(&self, start: usize, values: &[T]) -> Result<(), Error> {
        let _held = self.lock()?;
        self.raw.set_slice(start, values)
    }

    /// All values: Python's `array[:]`.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if the process that holds the lock is dead.
    pub fn to_vec(&self) -> Result<Vec<T>, Error> {
        let _held = self.lock()?;
        Ok(self.raw.to_vec())
    }

    lock_methods!();

    /// The values without their lock.
    pub fn get_obj(&self) -> &RawArray<T> {
        &self.raw
    }
}

/// An array of bytes: Python's `Array('c', …)`.
impl<L: RawLock> Array<u8, L> {
    /// The bytes before the first zero.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if the process that holds the lock is dead.
    pub fn value(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = self.to_vec()?;
        let end = bytes.iter().position(|&byte| byte == 0);
        bytes.truncate(end.unwrap_or(bytes.len()));
        Ok(bytes)
    }

    /// Writes bytes to the beginning, and a zero after them if there is room.
    ///
    /// # Errors
    /// [`Error::Value`] if they are too many; otherwise as [`value`](Self::value).
    pub fn set_value(&self, bytes: &[u8]) -> Result<(), Error> {
        let _held = self.lock()?;
        self.raw
            .set_slice(0, bytes)
            .map_err(|_| Error::Value("byte string too long".into()))?;
        if bytes.len() < self.len() {
            self.raw.set(bytes.len(), 0)?;
        }
        Ok(())
    }
}

impl<T: Pod + fmt::Debug, L> fmt::Debug for Array<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Array").field(&self.raw.to_vec()).finish()
    }
}
