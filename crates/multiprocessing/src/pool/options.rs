//! What a call of a pool may be told besides its function and items.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::progress::Progress;

/// Python's optional arguments, and some of ours.
#[derive(Clone, Default)]
pub(super) struct Options {
    pub(super) chunksize: Option<usize>,
    pub(super) buffersize: Option<usize>,
    /// How long a worker may take for a task.
    pub(super) limit: Option<Duration>,
    pub(super) progress: Option<Arc<Progress>>,
}

impl Options {
    /// How many of `count` items make a chunk: by default each worker gets four chunks.
    pub(super) fn chunksize(&self, count: usize, workers: usize) -> usize {
        let default = || count.div_ceil(workers * 4);
        self.chunksize.unwrap_or_else(default).max(1)
    }
}

/// The methods that all pools have to set these, each of which returns another handle.
macro_rules! option_methods {
    () => {
        /// A handle of the same pool that hands out `chunksize` items at a time.
        ///
        /// Larger chunks cost less for each item, smaller ones share the work out more evenly. By
        /// default a map makes four chunks for each worker, and an imap chunks of one item. The
        /// first error in a chunk stands for the chunk, whose later items are not run. 0 counts
        /// as 1.
        #[must_use = "it is a handle; the pool's others stay as they are"]
        pub fn with_chunksize(&self, chunksize: usize) -> Self {
            self.with_options(|options| options.chunksize = Some(chunksize.max(1)))
        }

        /// A handle of the same pool whose imaps have at most `buffersize` items under way or
        /// waiting to be taken, but always a chunk.
        ///
        /// By default it is eight chunks for each worker.
        #[must_use = "it is a handle; the pool's others stay as they are"]
        pub fn with_buffersize(&self, buffersize: usize) -> Self {
            self.with_options(|options| options.buffersize = Some(buffersize))
        }

        /// A handle of the same pool that says how far each of its calls has got: how many items
        /// are done, and how many there are.
        ///
        /// `progress` is called each time that a chunk is done, in a thread of the pool, which it
        /// should not keep waiting; for an imap, in the thread that takes the results, and counts
        /// what is known to come. A panic in it goes to
        /// [`excepthook`](fn@hilos_threading::excepthook).
        #[must_use = "it is a handle; the pool's others stay as they are"]
        pub fn with_progress<F>(&self, progress: F) -> Self
        where
            F: Fn(usize, usize) + Send + Sync + 'static,
        {
            self.with_options(|options| options.progress = Some(Arc::new(progress)))
        }

        fn with_options(&self, set: impl FnOnce(&mut Options)) -> Self {
            let mut handle = self.clone();
            set(&mut handle.options);
            handle
        }
    };
}
pub(super) use option_methods;

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("chunksize", &self.chunksize)
            .field("buffersize", &self.buffersize)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
