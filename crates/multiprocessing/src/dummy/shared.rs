//! `multiprocessing.dummy.Value` and `Array`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A value that threads share, with a lock. A handle: clones are the same value.
#[derive(Clone, Debug, Default)]
pub struct Value<T>(Arc<Mutex<T>>);

impl<T: Copy> Value<T> {
    /// Creates a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// The value.
    pub fn get(&self) -> T {
        *self.lock()
    }

    /// Changes the value.
    pub fn set(&self, value: T) {
        *self.lock() = value;
    }

    /// Changes the value by `f`, under one lock.
    pub fn update<R, F: FnOnce(&mut T) -> R>(&self, f: F) -> R {
        f(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values that threads share, with a lock. A handle: clones are the same array.
#[derive(Clone, Debug, Default)]
pub struct Array<T>(Arc<Mutex<Vec<T>>>);

impl<T: Copy> Array<T> {
    /// Creates an array.
    pub fn new<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(Arc::new(Mutex::new(items.into_iter().collect())))
    }

    /// The value at `index`.
    ///
    /// # Panics
    /// If there is none; likewise for [`set`](Self::set).
    pub fn get(&self, index: usize) -> T {
        self.lock()[index]
    }

    /// Changes the value at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn set(&self, index: usize, value: T) {
        self.lock()[index] = value;
    }

    /// All values.
    pub fn to_vec(&self) -> Vec<T> {
        self.lock().clone()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
