//! Which step a loop is in, for whoever looks at it while it is busy.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Whether anybody may want to look: until then, steps are not written down.
static ON: AtomicBool = AtomicBool::new(false);

/// Has the steps of all loops written down from now on.
#[cfg(target_os = "linux")]
pub(crate) fn start() {
    ON.store(true, Ordering::Relaxed);
}

/// The steps that a loop is in, the innermost last: an eager task takes one in the middle of another's.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Vec<Step>>);

/// A step of a task.
#[derive(Clone)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nobody looks"))]
pub(crate) struct Step {
    pub(crate) task_id: usize,
    pub(crate) task_name: String,
    pub(crate) coroutine: fn() -> String,
    /// Where the task was created.
    pub(crate) location: &'static Location<'static>,
    pub(crate) since: Instant,
}

/// Whether anybody may want to know of the steps.
#[inline]
pub(crate) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

impl Watch {
    #[cold]
    pub(crate) fn begin(&self, step: Step) {
        self.lock().push(step);
    }

    #[cold]
    pub(crate) fn end(&self) {
        let ended = self.lock().pop();
        drop(ended);
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn step(&self) -> Option<Step> {
        self.lock().last().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Step>> {
        // No code of the program runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
