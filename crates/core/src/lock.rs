//! What every lock of Python's can do.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::time::Deadline;

/// A lock that types such as `Condition` can be built over.
///
/// `Lock`, `RLock` and references and [`Arc`]s of them implement it. Releasing is not tied to a
/// guard: in Python any thread may release a `Lock`.
pub trait RawLock {
    /// Why a release was refused.
    type ReleaseError;

    /// Acquires the lock, or returns `false` when `deadline` has passed.
    #[track_caller]
    fn acquire_until(&self, deadline: Deadline) -> bool;

    /// Releases the lock, one level of it if it can be nested.
    ///
    /// # Errors
    /// The lock was not held, or not by this thread where that matters; nothing has changed.
    fn release(&self) -> Result<(), Self::ReleaseError>;

    /// Whether any thread holds the lock.
    fn locked(&self) -> bool;

    /// Whether the current thread may release the lock.
    fn is_owned(&self) -> bool;

    /// Releases every level of a lock that [`is_owned`](Self::is_owned), and returns how many.
    fn release_save(&self) -> usize;

    /// Acquires the lock again, to the depth that [`release_save`](Self::release_save) returned.
    #[track_caller]
    fn acquire_restore(&self, depth: usize);
}

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        impl<L: RawLock + ?Sized> RawLock for $pointer {
            type ReleaseError = L::ReleaseError;

            #[track_caller]
            fn acquire_until(&self, deadline: Deadline) -> bool {
                (**self).acquire_until(deadline)
            }
            fn release(&self) -> Result<(), L::ReleaseError> {
                (**self).release()
            }
            fn locked(&self) -> bool {
                (**self).locked()
            }
            fn is_owned(&self) -> bool {
                (**self).is_owned()
            }
            fn release_save(&self) -> usize {
                (**self).release_save()
            }
            #[track_caller]
            fn acquire_restore(&self, depth: usize) {
                (**self).acquire_restore(depth);
            }
        }
    )*};
}
delegate!(&L, Arc<L>, Box<L>);

/// Holds a lock until it is dropped: Python's `with lock:`.
///
/// Releasing the lock by hand while the guard lives is allowed, as it is in a `with` block; the
/// guard then releases nothing of anybody else's unless the lock has been taken again meanwhile.
#[must_use = "the lock is released at once if the guard is not kept"]
#[derive(Debug)]
pub struct Guard<'a, L: RawLock + ?Sized> {
    lock: &'a L,
    /// Not `Send`: an `RLock` is released only by the thread that holds it.
    thread: PhantomData<*const ()>,
}

impl<'a, L: RawLock + ?Sized> Guard<'a, L> {
    /// Blocks until `lock` is acquired.
    #[track_caller]
    pub fn acquire(lock: &'a L) -> Self {
        lock.acquire_until(Deadline::NEVER);
        Self::held(lock)
    }

    /// Acquires `lock`, or returns `None` when `deadline` has passed.
    #[track_caller]
    pub fn acquire_until(lock: &'a L, deadline: Deadline) -> Option<Self> {
        lock.acquire_until(deadline).then(|| Self::held(lock))
    }

    const fn held(lock: &'a L) -> Self {
        Self {
            lock,
            thread: PhantomData,
        }
    }
}

impl<L: RawLock + ?Sized> Drop for Guard<'_, L> {
    fn drop(&mut self) {
        // Python's `with` raises here; the lock is free either way.
        let _ = self.lock.release();
    }
}
