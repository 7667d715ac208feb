//! `multiprocessing.RawValue` and `RawArray`.

use std::fmt;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ops::Range;

use bytemuck::Pod;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;
use crate::handle::Handle;

/// A plain value in shared memory, without a lock.
///
/// Use it where one process writes and others look, or under a lock of your own; [`Value`] brings
/// one. A number is read and written whole, whatever other processes do; a structure word by
/// word, so that one that changes meanwhile may be seen half changed. A handle: clones are the same
/// value, in this process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::RawValue;
///
/// let value = RawValue::new(7)?;
/// value.set(value.get() + 1);
/// assert_eq!(value.get(), 8);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// Mirrors [`multiprocessing.sharedctypes.RawValue`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.sharedctypes.RawValue).
///
/// [`Value`]: super::Value
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct RawValue<T: Pod>(RawArray<T>);

impl<T: Pod> RawValue<T> {
    /// Puts a value into shared memory.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new(value: T) -> Result<Self, Error> {
        RawArray::new([value]).map(Self)
    }

    /// The value.
    #[inline]
    pub fn get(&self) -> T {
        self.0.load(0)
    }

    /// Changes the value.
    #[inline]
    pub fn set(&self, value: T) {
        self.0.store(0, &[value]);
    }

    /// A new value in shared memory, equal to this one: Python's `sharedctypes.copy`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn copy(&self) -> Result<Self, Error> {
        Self::new(self.get())
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for RawValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawValue").field(&self.get()).finish()
    }
}

/// Plain values in shared memory, without a lock.
///
/// Use it as [`RawValue`], for many values; [`Array`](super::Array) brings a lock.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::RawArray;
///
/// let array = RawArray::new([1, 2, 3])?;
/// array.set(1, 20)?;
/// assert_eq!(array.to_vec(), [1, 20, 3]);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `RawArray('i', 10)` is [`RawArray::zeroed(10)`](Self::zeroed).
/// - An index is not negative.
///
/// Mirrors [`multiprocessing.sharedctypes.RawArray`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.sharedctypes.RawArray).
#[derive(Clone)]
pub struct RawArray<T: Pod> {
    memory: Handle<()>,
    len: usize,
    items: PhantomData<fn(T) -> T>,
}

impl<T: Pod> RawArray<T> {
    /// Puts values into shared memory.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptor left.
    pub fn new<I: IntoIterator<Item = T>>(items: I) -> Result<Self, Error> {
        let items: Vec<T> = items.into_iter().collect();
        let array = Self::zeroed(items.len())?;
        array.store(0, &items);
        Ok(array)
    }

    /// Makes an array of `len` values whose bytes are all zero.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::Value`] if there are not so many addresses.
    pub fn zeroed(len: usize) -> Result<Self, Error> {
        let bytes = len.checked_mul(size_of::<T>());
        let bytes = bytes.ok_or_else(|| Error::Value("the array is too long".into()))?;
        Ok(Self {
            memory: Handle::with_room(bytes, 0)?,
            len,
            items: PhantomData,
        })
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value at `index`.
    ///
    /// # Errors
    /// [`Error::Index`] if there is none.
    pub fn get(&self, index: usize) -> Result<T, Error> {
        self.check(index..index.saturating_add(1))?;
        Ok(self.load(index))
    }

    /// Changes the value at `index`.
    ///
    /// # Errors
    /// [`Error::Index`] if there is none.
    pub fn set(&self, index: usize, value: T) -> Result<(), Error> {
        self.set_slice(index, &[value])
    }

    /// The values of a range: Python's `array[2:5]`.
    ///
    /// # Errors
    /// [`Error::Index`] if the range is not within the array.
    pub fn get_slice(&self, range: Range<usize>) -> Result<Vec<T>, Error> {
        self.check(range.clone())?;
        let mut items = vec![T::zeroed(); range.len()];
        let bytes = bytemuck::cast_slice_mut(&mut items);
        self.memory
            .memory()
            .read(range.start * size_of::<T>(), bytes);
        Ok(items)
    }

    /// Changes the values from `start` on: Python's `array[2:5] = values`.
    ///
    /// # Errors
    /// [`Error::Index`] if they are not all within the array; none is changed then.
    pub fn set_slice(&self, start: usize, values: &[T]) -> Result<(), Error> {
        self.check(start..start.saturating_add(values.len()))?;
        self.store(start, values);
        Ok(())
    }

    /// All values.
    pub fn to_vec(&self) -> Vec<T> {
        self.get_slice(0..self.len).unwrap_or_default()
    }

    /// A new array in shared memory, equal to this one: Python's `sharedctypes.copy`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn copy(&self) -> Result<Self, Error> {
        Self::new(self.to_vec())
    }

    fn check(&self, range: Range<usize>) -> Result<(), Error> {
        if range.start <= range.end && range.end <= self.len {
            return Ok(());
        }
        Err(Error::Index)
    }

    #[inline]
    fn load(&self, index: usize) -> T {
        let mut value = T::zeroed();
        let place = index * size_of::<T>();
        let bytes = bytemuck::bytes_of_mut(&mut value);
        self.memory.memory().read(place, bytes);
        value
    }

    #[inline]
    fn store(&self, start: usize, values: &[T]) {
        let place = start * size_of::<T>();
        self.memory
            .memory()
            .write(place, bytemuck::cast_slice(values));
    }
}

impl<T: Pod> Serialize for RawArray<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.len, &self.memory).serialize(serializer)
    }
}

impl<'de, T: Pod> Deserialize<'de> for RawArray<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let (len, memory) = <(usize, Handle<()>)>::deserialize(deserializer)?;
        let there = memory.memory().size().map_err(D::Error::custom)?;
        let wanted = len.checked_mul(size_of::<T>());
        if wanted.is_none_or(|wanted| wanted > there) {
            return Err(D::Error::custom("the array is longer than its memory"));
        }
        Ok(Self {
            memory,
            len,
            items: PhantomData,
        })
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for RawArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawArray").field(&self.to_vec()).finish()
    }
}
