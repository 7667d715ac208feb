//! How far a call has got.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::JobError;
use super::hook;
use super::results::Results;
use super::task::Sink;

/// Is told how many items are done, and how many there are.
pub(super) type Progress = dyn Fn(usize, usize) + Send + Sync;

/// Tells of the progress; a panic in the function is not the pool's.
pub(super) fn report(progress: &Progress, done: usize, total: usize) {
    hook::call(|| progress(done, total));
}

/// Counts the items whose results pass through to another sink.
pub(super) struct Counting {
    sink: Arc<dyn Sink>,
    progress: Arc<Progress>,
    done: AtomicUsize,
    total: usize,
    chunksize: usize,
}

impl Counting {
    /// A sink for a map of `total` items; `sink` itself if nobody wants to know.
    pub(super) fn before(
        sink: Arc<dyn Sink>,
        progress: Option<&Arc<Progress>>,
        total: usize,
        chunksize: usize,
    ) -> Arc<dyn Sink> {
        match progress {
            None => sink,
            Some(progress) => Arc::new(Self {
                sink,
                progress: progress.clone(),
                done: AtomicUsize::new(0),
                total,
                chunksize,
            }),
        }
    }
}

impl Sink for Counting {
    fn deliver(&self, part: usize, results: Result<Results, JobError>) {
        let count = length(part, self.total, self.chunksize);
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        // First, so that who waits for the last result has seen all of the progress.
        report(&*self.progress, done, self.total);
        self.sink.deliver(part, results);
    }

    fn call(&self) -> usize {
        self.sink.call()
    }
}

/// How many of `total` items are in a chunk: all chunks but the last are full.
pub(super) fn length(part: usize, total: usize, chunksize: usize) -> usize {
    (total - part * chunksize).min(chunksize)
}
