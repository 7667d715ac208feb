//! What a pool is made of whose workers are on other machines, for `hilos-cluster`.
//!
//! Not part of this crate's interface: it may change at any time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::time::Timeout;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::{self, Call};
use super::desk::{Bell, Desk, Phase};
use super::error::JobError;
use super::imap::{IMapIterator, IMapUnorderedIterator};
use super::job::{AsyncResult, MapResult, limit};
use super::options::Options;
use super::results::{Results, decode};
use super::task::{Sink, Task};
use crate::error::Error;
use crate::failure::Failure;
use crate::reduction::{Message, dumps, loads};

/// Where jobs of type `J` wait until they are sent.
pub struct Counter<J>(Arc<Desk<J, Wake>>);

/// Tells who sends jobs that something is new.
struct Wake(Box<dyn Fn() + Send + Sync>);

impl Bell for Wake {
    fn ring(&self, _tasks: usize) {
        (self.0)();
    }
}

impl<J: Send + 'static> Counter<J> {
    /// A counter that calls `wake` when there is something new.
    pub fn new<F: Fn() + Send + Sync + 'static>(wake: F) -> Self {
        Self(Desk::new(Wake(Box::new(wake))))
    }

    /// Takes a job that waits.
    pub fn take(&self) -> Option<Errand<J>> {
        self.0.state.lock().pending.pop_front().map(Errand)
    }

    /// Whether a job waits.
    pub fn has_work(&self) -> bool {
        !self.0.state.lock().pending.is_empty()
    }

    /// Takes the jobs that wait and belong to a call.
    pub fn take_of(&self, call: usize) -> Vec<Errand<J>> {
        let mut state = self.0.state.lock();
        let (of_it, others) = std::mem::take(&mut state.pending)
            .into_iter()
            .partition(|task| task.sink.call() == call);
        state.pending = others;
        Vec::from(of_it).into_iter().map(Errand).collect()
    }

    /// Takes no more calls.
    pub fn close(&self) {
        self.0.enter(Phase::Closed);
    }

    /// Drops the jobs that wait.
    pub fn terminate(&self) {
        self.0.enter(Phase::Terminated);
    }

    /// Fails every job that waits or comes.
    pub fn break_down(&self, failure: Failure) {
        self.0.break_down(failure);
    }

    /// Whether there is no job and none will come.
    pub fn is_over(&self) -> bool {
        self.0.state.lock().is_over()
    }

    /// What Python calls the pool's state.
    pub fn state(&self) -> &'static str {
        self.0.phase().name()
    }

    /// Whether calls are taken.
    pub fn is_running(&self) -> bool {
        self.0.phase() == Phase::Running
    }

    /// Whether jobs are dropped.
    pub fn is_terminated(&self) -> bool {
        self.0.phase() == Phase::Terminated
    }

    /// A call whose jobs `make` makes of chunks of items.
    pub fn call<A, R, F>(
        &self,
        make: F,
        crew: Arc<dyn Crew>,
        settings: &Settings,
    ) -> Result<FarCall<A, R>, JobError>
    where
        R: DeserializeOwned,
        F: Fn(Vec<A>) -> Result<J, JobError> + Send + 'static,
    {
        let (admission, crew) = (self.0.admit()?, Arc::new(Size(crew)));
        let options = settings.0.clone();
        Ok(FarCall(Call::new(admission, make, decode, crew, options)))
    }
}

impl<J> Clone for Counter<J> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<J> fmt::Debug for Counter<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").finish_non_exhaustive()
    }
}

/// Those who do the jobs; a call keeps them.
pub trait Crew: Send + Sync {
    /// How many there are.
    fn size(&self) -> usize;
}

struct Size(Arc<dyn Crew>);

impl call::Crew for Size {
    fn size(&self) -> usize {
        self.0.size().max(1)
    }
}

/// A job on its way, and who waits for it.
pub struct Errand<J>(Task<J>);

impl<J> Errand<J> {
    /// What is to be done.
    pub fn job(&self) -> &J {
        &self.0.job
    }

    /// How long a worker may take.
    pub fn limit(&self) -> Option<Duration> {
        self.0.limit
    }

    /// Which call it belongs to, as long as it is there.
    pub fn call(&self) -> usize {
        self.0.sink.call()
    }

    /// Hands over the encoded results, or says why there are none.
    pub fn finish(self, result: Result<Vec<u8>, JobError>) {
        let Task { sink, part, .. } = self.0;
        let encoded = |bytes| Results::Encoded(Message { bytes, fds: vec![] });
        sink.deliver(part, result.map(encoded));
    }
}

impl<J> fmt::Debug for Errand<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand").finish_non_exhaustive()
    }
}

/// What calls are told besides functions and items.
#[derive(Clone, Debug, Default)]
pub struct Settings(Options);

impl Settings {
    /// How many items go at a time.
    pub fn set_chunksize(&mut self, chunksize: usize) {
        self.0.chunksize = Some(chunksize.max(1));
    }

    /// How many items of an imap are under way or wait to be taken.
    pub fn set_buffersize(&mut self, buffersize: usize) {
        self.0.buffersize = Some(buffersize);
    }

    /// How long a worker may take for a chunk.
    pub fn set_timeout(&mut self, timeout: Timeout) {
        self.0.limit = limit(timeout);
    }

    /// Who is told how far each call has got.
    pub fn set_progress<F: Fn(usize, usize) + Send + Sync + 'static>(&mut self, progress: F) {
        self.0.progress = Some(Arc::new(progress));
    }
}

/// One call of a pool.
pub struct FarCall<A, R>(Call<A, R>);

impl<A: 'static, R: DeserializeOwned + Send + 'static> FarCall<A, R> {
    /// Has a worker do one item.
    pub fn apply(self, item: A) -> Result<AsyncResult<R>, JobError> {
        self.0.apply(item)
    }

    /// Has the workers do all items.
    pub fn map<I: IntoIterator<Item = A>>(self, items: I) -> Result<MapResult<R>, JobError> {
        self.0.map(items)
    }

    /// Has a worker do a chunk, and `done` called with the results.
    pub fn tell<F>(self, chunk: Vec<A>, done: F) -> Result<Teller, JobError>
    where
        F: FnOnce(Result<Vec<R>, JobError>) + Send + 'static,
    {
        let open = self.0.open;
        let tell = move |results: Result<Results, JobError>| done(results.and_then(open));
        let sink: Arc<dyn Sink> = Arc::new(Tell(parking_lot::Mutex::new(Some(Box::new(tell)))));
        let teller = Teller(sink.call());
        self.0.submit(chunk, 0, &sink)?;
        Ok(teller)
    }
}

impl<A, R> FarCall<A, R> {
    /// The results of all items, in their order, as they come.
    pub fn imap<I>(call: Result<Self, JobError>, items: I) -> IMapIterator<I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
    {
        IMapIterator::new(call.map(|call| call.0), items)
    }

    /// The results of all items, as they come.
    pub fn imap_unordered<I>(
        call: Result<Self, JobError>,
        items: I,
    ) -> IMapUnorderedIterator<I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
    {
        IMapUnorderedIterator::new(call.map(|call| call.0), items)
    }
}

impl<A, R> fmt::Debug for FarCall<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FarCall").finish_non_exhaustive()
    }
}

/// The number of a call that tells a function of its results.
#[derive(Clone, Copy, Debug)]
pub struct Teller(usize);

impl Teller {
    /// The number, as long as the call is not done.
    pub fn call(self) -> usize {
        self.0
    }
}

/// Calls a function with the results of one part.
struct Tell(parking_lot::Mutex<Option<TellOnce>>);

type TellOnce = Box<dyn FnOnce(Result<Results, JobError>) + Send>;

impl Sink for Tell {
    fn deliver(&self, _part: usize, results: Result<Results, JobError>) {
        let tell = self.0.lock().take();
        if let Some(tell) = tell {
            tell(results);
        }
    }
}

/// The number of the call whose result this is, as long as it is there.
pub fn call_of<R>(result: &AsyncResult<R>) -> usize {
    result.call()
}

/// Encodes a value for another machine, where this one's descriptors mean nothing.
///
/// # Errors
/// [`Error::Encoding`] if it cannot be encoded or holds a lock, a queue or a file.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let Message { bytes, fds } = dumps(value)?;
    match fds.is_empty() {
        true => Ok(bytes),
        false => Err(Error::encoding::<T>(
            "locks, queues, files and memory of this machine cannot go to another one",
        )),
    }
}

/// Decodes what [`encode`] has encoded.
///
/// # Errors
/// [`Error::Encoding`] if it is something else.
pub fn open<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    loads(bytes, Vec::new())
}

/// A failure of which only the text is known.
pub fn failure(type_name: &str, message: &str) -> Failure {
    Failure::new(type_name, message)
}
