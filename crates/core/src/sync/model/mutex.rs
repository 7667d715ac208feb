//! parking_lot's `Mutex`.

use std::ops::{Deref, DerefMut};

/// Mutual exclusion around data.
#[derive(Debug, Default)]
pub struct Mutex<T: ?Sized>(loom::sync::Mutex<T>);

/// Holds a [`Mutex`] and gives access to its data until it is dropped.
#[derive(Debug)]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// `None` only while a [`Condvar`](super::Condvar) waits.
    held: Option<loom::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// Creates a mutex that nobody holds.
    pub fn new(data: T) -> Self {
        Self(loom::sync::Mutex::new(data))
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Blocks until the mutex is acquired.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            mutex: self,
            held: self.0.lock().ok(),
        }
    }
}

impl<T: ?Sized> MutexGuard<'_, T> {
    pub(super) fn unlock(&mut self) {
        self.held = None;
    }

    pub(super) fn lock_again(&mut self) {
        self.held = self.mutex.0.lock().ok();
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("no thread looks while it waits")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("no thread looks while it waits")
    }
}
