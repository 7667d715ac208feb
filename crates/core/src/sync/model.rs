//! What stands in for parking_lot under loom: its mutex, its condition variable, its parking lot.
//!
//! Time stands still in a model until one of its threads calls [`expire_timeouts`].

mod condvar;
mod lot;
mod mutex;
mod queue;
mod sleeper;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use lot::{park, unpark, unpark_all};
pub use mutex::{Mutex, MutexGuard};
pub(crate) use sleeper::reached;
pub use sleeper::{expire_timeouts, wait_for_sleepers};

/// Explores `model` as [`loom::model()`] does.
///
/// What this module shares among threads is there before the model begins. If it came with the
/// first thread that waits, it would order that thread's memory before the others', and hide it
/// when nothing else does.
pub fn check<F: Fn() + Send + Sync + 'static>(model: F) {
    loom::model(move || {
        lot::make();
        sleeper::make();
        model();
    });
}
