//! The servers and objects that this process has proxies of, kept whole when it forks.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, Weak};

use hilos_core::process::{AtFork, at_fork};

use super::reference::Reference;
use super::server::Server;

pub(super) struct Known {
    pub(super) servers: Vec<Weak<Server>>,
    /// By their numbers; for the end of the process.
    pub(super) references: BTreeMap<u64, Weak<Reference>>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known {
    servers: Vec::new(),
    references: BTreeMap::new(),
});

pub(super) fn known() -> MutexGuard<'static, Known> {
    static FORKS: Once = Once::new();
    FORKS.call_once(at_fork::<Fork>);
    lock()
}

fn lock() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without it a child would wait for ever for a thread of its parent's that was in here.
struct Fork;

thread_local! {
    /// From before a fork until after it.
    static HELD: Cell<Option<MutexGuard<'static, Known>>> = const { Cell::new(None) };
}

impl AtFork for Fork {
    fn prepare() {
        HELD.set(Some(lock()));
    }

    fn parent() {
        HELD.set(None);
    }

    fn child() {
        HELD.set(None);
    }
}
