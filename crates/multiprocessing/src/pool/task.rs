//! What waits for a worker, and who waits for what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use super::error::JobError;
use super::results::Results;

/// A job, or a part of one, for one go of a worker.
pub(super) struct Task<J> {
    pub(super) job: J,
    /// Who is told the result, and as which part of the whole.
    pub(super) sink: Arc<dyn Sink>,
    pub(super) part: usize,
    /// How long a worker may take.
    pub(super) limit: Option<Duration>,
}

/// Who waits for results. Called by a pool's threads, which must not be kept waiting.
pub(super) trait Sink: Send + Sync {
    /// Takes the results of one task.
    fn deliver(&self, part: usize, results: Result<Results, JobError>);

    /// A number that no other call has as long as this one is there.
    fn call(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl<J> Task<J> {
    pub(super) fn fail(self, error: JobError) {
        self.sink.deliver(self.part, Err(error));
    }
}
