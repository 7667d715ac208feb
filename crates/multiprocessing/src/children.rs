//! The processes that this one has started, and what becomes of them when it ends.

use std::sync::{Mutex, Once, PoisonError};

use crate::process::Process;

static CHILDREN: Mutex<Vec<Process>> = Mutex::new(Vec::new());

fn with_children<R>(f: impl FnOnce(&mut Vec<Process>) -> R) -> R {
    f(&mut CHILDREN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Has this process see to its children when it ends.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| hilos_threading::register_after_join(finish));
}

/// Adds a child that was started.
pub(crate) fn add(process: Process) {
    install();
    with_children(|children| children.push(process));
}

/// Forgets the children of the process that this one is a copy of.
pub(crate) fn forget() {
    // Dropping their sockets takes this copy's hand off their lifelines.
    drop(with_children(std::mem::take));
}

/// The children that run; those that have ended are waited for.
pub fn active_children() -> Vec<Process> {
    let children = with_children(|children| children.clone());
    let alive: Vec<_> = children.into_iter().filter(Process::is_alive).collect();
    with_children(|children| children.retain(|child| alive.contains(child)));
    alive
}

/// Terminates the daemons among the children and waits for all of them.
pub(crate) fn finish() {
    for child in active_children().iter().filter(|child| child.daemon()) {
        let _ = child.terminate();
    }
    while let Some(child) = active_children().first() {
        let _ = child.join(None);
    }
}
