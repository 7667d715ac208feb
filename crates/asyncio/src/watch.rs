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

/// The step that a loop is in.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Option<Box<Step>>>);

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

impl Watch {
    /// Writes down a step, if anybody may want to know, and the step around it at the end.
    #[inline]
    pub(crate) fn during(&self, step: impl FnOnce() -> Step) -> Option<Watching<'_>> {
        ON.load(Ordering::Relaxed).then(|| self.note(step()))
    }

    #[cold]
    fn note(&self, step: Step) -> Watching<'_> {
        let outer = self.lock().replace(Box::new(step));
        Watching { watch: self, outer }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn step(&self) -> Option<Step> {
        self.lock().as_deref().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Step>>> {
        // No code of the program runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step that is written down while this lives.
pub(crate) struct Watching<'w> {
    watch: &'w Watch,
    outer: Option<Box<Step>>,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        *self.watch.lock() = self.outer.take();
    }
}
