//! What a thread of a pool does.

use std::sync::Arc;

use hilos_core::panic::{Unwound, catch};
use hilos_threading::Exception;
use parking_lot::Condvar;

use super::desk::{Bell, Desk};
use super::error::JobError;
use super::results::Results;
use super::task::Task;

/// What waits for threads.
pub(super) type ThreadDesk = Desk<Job, Turnstile>;

/// A function with its arguments, which takes care of panics.
pub(super) type Job = Box<dyn FnOnce() -> Result<Results, JobError> + Send>;

/// What a thread does before its first job.
pub(super) type Initializer = Arc<dyn Fn() -> Option<Exception> + Send + Sync>;

/// Where threads without a job wait.
#[derive(Default)]
pub(super) struct Turnstile(Condvar);

impl Bell for Turnstile {
    fn ring(&self, tasks: usize) {
        match tasks {
            1 => drop(self.0.notify_one()),
            _ => drop(self.0.notify_all()),
        }
    }
}

/// Does one task after the other, until the pool is closed or terminated.
pub(super) fn work(desk: Arc<ThreadDesk>, initializer: Option<Initializer>) {
    let initialized = initializer.map(|initializer| catch(|| initializer()));
    let failed = match initialized {
        Some(Ok(Some(exception))) => Some(exception),
        Some(Err(Unwound::Panic(panic))) => Some(panic.into()),
        _ => None,
    };
    if let Some(exception) = failed {
        return desk.break_down(exception.into());
    }
    while let Some(Task {
        job, sink, part, ..
    }) = next(&desk)
    {
        sink.deliver(part, job());
    }
}

/// Waits for a task; `None` if there will be no more.
fn next(desk: &ThreadDesk) -> Option<Task<Job>> {
    let mut state = desk.state.lock();
    loop {
        if let Some(task) = state.pending.pop_front() {
            return Some(task);
        }
        if state.is_over() {
            return None;
        }
        desk.bell.0.wait(&mut state);
    }
}
