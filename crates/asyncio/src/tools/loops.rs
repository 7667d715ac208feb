//! The loops of this process that run, findable from any thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hilos_core::ident::get_native_id;

use crate::threadsafe::Shared;

static LOOPS: Mutex<Vec<Loop>> = Mutex::new(Vec::new());

/// A loop that runs, and its thread.
#[derive(Clone)]
pub(super) struct Loop {
    pub(super) shared: Arc<Shared>,
    /// The kernel's number of the thread.
    pub(super) tid: u64,
}

fn lock() -> MutexGuard<'static, Vec<Loop>> {
    // No code of the program runs under the lock.
    LOOPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The current thread begins to run a loop.
pub(crate) fn enter(shared: &Arc<Shared>) {
    let (shared, tid) = (shared.clone(), get_native_id());
    lock().push(Loop { shared, tid });
}

/// The loop no longer runs.
pub(crate) fn leave(shared: &Arc<Shared>) {
    lock().retain(|other| !Arc::ptr_eq(&other.shared, shared));
}

pub(super) fn all() -> Vec<Loop> {
    lock().clone()
}
