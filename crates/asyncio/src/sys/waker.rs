//! The waker that a task is polled with: free until somebody clones it.

use std::mem::ManuallyDrop;
use std::sync::{Arc, OnceLock};
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::threadsafe::{Shared, TaskKey, WakeCell};

/// What a borrowed waker refers to, for the length of one poll.
///
/// `Sync`, because the waker may be used by a scoped thread meanwhile.
pub(crate) struct Source<'s> {
    pub(crate) shared: &'s Arc<Shared>,
    pub(crate) key: TaskKey,
    /// What all clones of the task's wakers share, once there is one.
    pub(crate) cell: &'s OnceLock<Arc<WakeCell>>,
}

impl Source<'_> {
    fn cell(&self) -> Arc<WakeCell> {
        self.cell
            .get_or_init(|| WakeCell::new(self.shared, self.key))
            .clone()
    }

    /// What [`Waker::data`] says of a waker that borrows from this.
    pub(crate) fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

/// Calls `f` with a waker that borrows from `source`.
pub(crate) fn with_waker<R>(source: &Source<'_>, f: impl FnOnce(&Waker) -> R) -> R {
    // SAFETY: the functions of `TABLE` expect a `Source` that is alive. `f` is given a shared
    // reference that cannot outlive this call, and `source` does. The waker itself is never
    // dropped and nobody can move it out of the reference. The functions are thread-safe because
    // `Source` is `Sync`, which `_is_sync` has the compiler check.
    let waker = ManuallyDrop::new(unsafe { Waker::new(source.address(), &TABLE) });
    f(&waker)
}

fn _is_sync(source: Source<'_>) -> impl Sync {
    source
}

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, forget);

/// # Safety
/// `source` is the address of a [`Source`] that is alive.
unsafe fn clone(source: *const ()) -> RawWaker {
    // SAFETY: the caller's promise; only shared references to a `Source` exist.
    let source = unsafe { &*source.cast::<Source<'_>>() };
    let waker = ManuallyDrop::new(Waker::from(source.cell()));
    // The parts of a whole waker that is forgotten here: the clone is that waker.
    RawWaker::new(waker.data(), waker.vtable())
}

/// # Safety
/// As [`clone`].
unsafe fn wake(source: *const ()) {
    // SAFETY: as in `clone`.
    let source = unsafe { &*source.cast::<Source<'_>>() };
    source.cell().wake_task();
}

/// A borrowed waker owns nothing.
///
/// # Safety
/// None is needed.
unsafe fn forget(_source: *const ()) {}
