//! `multiprocessing.Value`.

use std::fmt;

use bytemuck::Pod;
use hilos_core::time::Deadline;
use serde::{Deserialize, Serialize};

use super::RawValue;
use super::locked::lock_methods;
use crate::error::Error;
use crate::synchronize::{Guard, RLock, RawLock};

/// A plain value in shared memory, with a lock.
///
/// Use it for a counter or a result that several processes change. Each call acquires the lock;
/// [`update`](Self::update) reads and writes under one, and [`lock`](Self::lock) holds it for
/// longer. A handle: clones are the same value, in this process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Process, Value};
///
/// fn add(counter: Value<i32>) -> Result<(), multiprocessing::Error> {
///     for _ in 0..100 {
///         counter.update(|value| *value += 1)?;
///     }
///     Ok(())
/// }
///
/// let counter = Value::new(0)?;
/// let processes = [(); 2].map(|()| Process::new(add, (counter.clone(),)));
/// for process in &processes {
///     process.start()?;
/// }
/// for process in &processes {
///     process.join(None)?;
/// }
/// assert_eq!(counter.get()?, 200);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `v.value` is [`get`](Self::get) and [`set`](Self::set); `Value('d', 0.0)` is
///   `Value::new(0.0)`, `Value(…, lock=False)` is [`RawValue`].
/// - When a process is killed while it holds the lock, the others get [`Error::OwnerDied`].
///
/// Mirrors [`multiprocessing.Value`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Value).
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "L: Serialize", deserialize = "L: Deserialize<'de>"))]
pub struct Value<T: Pod, L = RLock> {
    raw: RawValue<T>,
    lock: L,
}

impl<T: Pod> Value<T> {
    /// Puts a value into shared memory, with a lock of its own.
    ///
    /// # Errors
    /// [`Error::Os`] if the system has no memory or no descriptors left.
    pub fn new(value: T) -> Result<Self, Error> {
        Self::with_lock(value, RLock::new()?)
    }
}

impl<T: Pod, L: RawLock> Value<T, L> {
    /// Puts a value into shared memory, with a lock that it may share with others: Python's
    /// `Value(…, lock=lock)`.
    ///
    /// # Errors
    /// As [`new`](Value::new).
    pub fn with_lock(value: T, lock: L) -> Result<Self, Error> {
        Ok(Self::synchronized(RawValue::new(value)?, lock))
    }

    /// Gives a lock to a value that has none: Python's `sharedctypes.synchronized`.
    pub fn synchronized(raw: RawValue<T>, lock: L) -> Self {
        Self { raw, lock }
    }

    /// The value.
    ///
    /// # Errors
    /// [`Error::OwnerDied`] if the process that holds the lock is dead.
    ///
    /// # Blocking
    /// While another thread holds the lock; this holds for all that follow.
    pub fn get(&self) -> Result<T, Error> {
        let _held = self.lock()?;
        Ok(self.raw.get())
    }

    /// Changes the value.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn set(&self, value: T) -> Result<(), Error> {
        let _held = self.lock()?;
        self.raw.set(value);
        Ok(())
    }

    /// Changes the value by `f`, under one lock; returns what `f` returns.
    ///
    /// Nothing is changed if `f` panics.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn update<R, F: FnOnce(&mut T) -> R>(&self, f: F) -> Result<R, Error> {
        let _held = self.lock()?;
        let mut value = self.raw.get();
        let result = f(&mut value);
        self.raw.set(value);
        Ok(result)
    }

    lock_methods!();

    /// The value without its lock.
    pub fn get_obj(&self) -> &RawValue<T> {
        &self.raw
    }
}

impl<T: Pod + fmt::Debug, L> fmt::Debug for Value<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.raw.get()).finish()
    }
}
