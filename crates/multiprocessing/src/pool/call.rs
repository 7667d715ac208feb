//! One call of a pool: what its workers do with chunks of items.

use std::iter::Fuse;
use std::sync::Arc;

use super::desk::{Admission, Bell};
use super::error::JobError;
use super::job::{AsyncResult, MapResult};
use super::options::Options;
use super::parts::Parts;
use super::progress::Counting;
use super::results::{Open, nothing};
use super::task::{Sink, Task};

/// Those who do the jobs. They are sent home when the last handle of them is dropped.
pub(super) trait Crew: Send + Sync {
    /// How many workers there are.
    fn size(&self) -> usize;
}

/// How items become results, in whatever pool.
pub(super) struct Call<A, R> {
    /// `None` when it has brought all its tasks, so that a closed pool does not wait for more.
    submit: Option<Submit<A>>,
    /// The pool lives as long as results may come.
    _pool: Option<Arc<dyn Crew>>,
    pub(super) open: Open<R>,
    pub(super) workers: usize,
    pub(super) options: Options,
}

/// Has workers do chunks, the first of which is the given part of the whole.
type Submit<A> = Box<
    dyn Fn(&mut dyn Iterator<Item = Vec<A>>, usize, &Arc<dyn Sink>) -> Result<(), JobError> + Send,
>;

impl<A, R> Call<A, R> {
    /// A call that a pool does not take.
    pub(super) fn refused(error: JobError) -> Self {
        Self {
            submit: Some(Box::new(move |_, _, _| Err(error.clone()))),
            _pool: None,
            open: |_| Err(nothing()),
            workers: 1,
            options: Options::default(),
        }
    }

    /// A call whose tasks `make` makes of chunks of items.
    pub(super) fn new<J, B, F>(
        admission: Admission<J, B>,
        make: F,
        open: Open<R>,
        crew: Arc<dyn Crew>,
        options: Options,
    ) -> Self
    where
        J: Send + 'static,
        B: Bell + 'static,
        F: Fn(Vec<A>) -> Result<J, JobError> + Send + 'static,
    {
        let limit = options.limit;
        let submit: Submit<A> = Box::new(move |chunks, first, sink| {
            let task = |(part, chunk)| {
                let (job, sink) = (make(chunk)?, sink.clone());
                Ok(Task {
                    job,
                    sink,
                    part,
                    limit,
                })
            };
            let tasks = (first..).zip(chunks).map(task);
            admission.submit(tasks.collect::<Result<_, JobError>>()?)
        });
        Self {
            submit: Some(submit),
            open,
            workers: crew.size(),
            options,
            _pool: Some(crew),
        }
    }

    /// Has the workers do one chunk.
    pub(super) fn submit(
        &self,
        chunk: Vec<A>,
        part: usize,
        sink: &Arc<dyn Sink>,
    ) -> Result<(), JobError> {
        self.submit_all(&mut std::iter::once(chunk), part, sink)
    }

    fn submit_all(
        &self,
        chunks: &mut dyn Iterator<Item = Vec<A>>,
        first: usize,
        sink: &Arc<dyn Sink>,
    ) -> Result<(), JobError> {
        let submit = self.submit.as_ref().ok_or(JobError::NotRunning)?;
        submit(chunks, first, sink)
    }

    /// Has brought all its tasks.
    pub(super) fn end(&mut self) {
        self.submit = None;
    }

    pub(super) fn is_over(&self) -> bool {
        self.submit.is_none()
    }

    /// Has a worker do one item.
    pub(super) fn apply(self, item: A) -> Result<AsyncResult<R>, JobError>
    where
        R: 'static,
    {
        let parts = Parts::new(1);
        let progress = self.options.progress.as_ref();
        let sink = Counting::before(parts.clone(), progress, 1, 1);
        self.submit(vec![item], 0, &sink)?;
        Ok(AsyncResult::of_one(parts, self.open))
    }

    /// Has the workers do all items.
    pub(super) fn map<I: IntoIterator<Item = A>>(self, items: I) -> Result<MapResult<R>, JobError>
    where
        R: 'static,
    {
        let items: Vec<A> = items.into_iter().collect();
        let total = items.len();
        let chunksize = self.options.chunksize(total, self.workers);
        let parts = Parts::new(total.div_ceil(chunksize));
        let progress = self.options.progress.as_ref();
        let sink = Counting::before(parts.clone(), progress, total, chunksize);
        self.submit_all(&mut Chunks::new(items, chunksize), 0, &sink)?;
        Ok(MapResult::of_all(parts, self.open))
    }
}

/// An iterator's items, some at a time.
pub(super) struct Chunks<I: Iterator> {
    items: Fuse<I>,
    pub(super) chunksize: usize,
    /// How many items have been taken.
    pub(super) taken: usize,
}

impl<I: Iterator> Chunks<I> {
    pub(super) fn new<T: IntoIterator<IntoIter = I>>(items: T, chunksize: usize) -> Self {
        let items = items.into_iter().fuse();
        Self {
            items,
            chunksize,
            taken: 0,
        }
    }

    /// How many items there are left, at least.
    pub(super) fn left(&self) -> usize {
        self.items.size_hint().0
    }
}

impl<I: Iterator> Iterator for Chunks<I> {
    type Item = Vec<I::Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk: Vec<_> = self.items.by_ref().take(self.chunksize).collect();
        self.taken += chunk.len();
        (!chunk.is_empty()).then_some(chunk)
    }
}
