//! What a value and an array have of their lock: Python's `SynchronizedBase`.

/// The methods of a type with a field `lock`.
macro_rules! lock_methods {
    () => {
        /// Acquires the lock and holds it while the guard lives: Python's `with x.get_lock():`.
        ///
        /// # Errors
        /// [`Error::OwnerDied`] if the process that holds the lock is dead.
        #[inline]
        pub fn lock(&self) -> Result<Guard<'_, L>, Error> {
            Guard::acquire(&self.lock)
        }

        /// Blocks until the lock is acquired.
        ///
        /// # Errors
        /// As [`lock`](Self::lock).
        pub fn acquire(&self) -> Result<(), Error> {
            self.lock.acquire_until(Deadline::NEVER).map(drop)
        }

        /// Releases the lock.
        ///
        /// # Errors
        /// The lock's own, if it is not held.
        pub fn release(&self) -> Result<(), Error> {
            self.lock.release()
        }

        /// The lock.
        pub fn get_lock(&self) -> &L {
            &self.lock
        }
    };
}
pub(super) use lock_methods;
