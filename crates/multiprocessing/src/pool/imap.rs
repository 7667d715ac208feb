//! Results one by one, while the rest is at work.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use hilos_core::time::{Deadline, Timeout};
use parking_lot::{Condvar, Mutex};
use serde::de::DeserializeOwned;

use super::error::JobError;
use super::processes::Pool;
use super::supervisor::Shared;
use super::task::{Sink, Task};
use crate::error::Error;
use crate::reduction::{Message, loads};
use crate::sys::image::Descriptor;

/// What comes back, in the order in which it does.
#[derive(Default)]
struct Arrivals {
    state: Mutex<VecDeque<(usize, Result<Message, JobError>)>>,
    arrived: Condvar,
}

impl Arrivals {
    fn next(&self, deadline: Deadline) -> Option<(usize, Result<Message, JobError>)> {
        let mut state = self.state.lock();
        loop {
            if let Some(next) = state.pop_front() {
                return Some(next);
            }
            match deadline.instant() {
                None => self.arrived.wait(&mut state),
                Some(moment) => {
                    if self.arrived.wait_until(&mut state, moment).timed_out() {
                        return state.pop_front();
                    }
                }
            }
        }
    }
}

impl Sink for Arrivals {
    fn deliver(&self, part: usize, result: Result<Message, JobError>) {
        self.state.lock().push_back((part, result));
        self.arrived.notify_one();
    }
}

/// Encodes a function and the list of its arguments.
type Encode<A> = Box<dyn Fn(&[A]) -> Result<Message, Error> + Send>;

/// Where the arguments come from, and what is to be done with them.
pub(super) struct Source<I: Iterator> {
    pub(super) shared: Arc<Shared>,
    pub(super) function: &'static Descriptor,
    /// Encodes the function and the list of its arguments.
    pub(super) encode: Encode<I::Item>,
    pub(super) items: std::iter::Fuse<I>,
    pub(super) chunksize: usize,
    /// How many chunks may be under way or waiting to be taken.
    pub(super) ahead: usize,
}

/// The side that feeds the workers: takes arguments from the iterator only as results are taken.
struct Feed<I: Iterator> {
    source: Source<I>,
    arrivals: Arc<Arrivals>,
    /// How many chunks have been handed over.
    sent: usize,
    /// How many have been taken.
    taken: usize,
}

impl<I: Iterator> Feed<I> {
    fn new(source: Source<I>) -> Self {
        let mut feed = Self {
            source,
            arrivals: Arc::default(),
            sent: 0,
            taken: 0,
        };
        feed.top_up();
        feed
    }

    fn top_up(&mut self) {
        while self.sent - self.taken < self.source.ahead {
            let Source {
                items,
                chunksize,
                function,
                encode,
                shared,
                ..
            } = &mut self.source;
            let chunk: Vec<I::Item> = items.take(*chunksize).collect();
            if chunk.is_empty() {
                return;
            }
            let (part, sink) = (self.sent, self.arrivals.clone());
            self.sent += 1;
            let submitted = encode(&chunk).map_err(JobError::from).and_then(|args| {
                let task = Task {
                    function,
                    args,
                    sink,
                    part,
                    limit: None,
                };
                shared.submit([task])
            });
            if let Err(error) = submitted {
                self.arrivals.deliver(part, Err(error));
            }
        }
    }

    fn is_over(&self) -> bool {
        self.taken == self.sent
    }

    /// Notes that a chunk is out of the way, and makes room for another.
    fn note_taken(&mut self) {
        self.taken += 1;
        self.top_up();
    }
}

fn decode<R: DeserializeOwned>(
    chunk: Result<Message, JobError>,
) -> Result<std::vec::IntoIter<R>, JobError> {
    let Message { bytes, fds } = chunk?;
    Ok(loads::<Vec<R>>(&bytes, fds)?.into_iter())
}

/// The results of [`Pool::imap_unordered`](super::Pool::imap_unordered), as they come.
pub struct IMapUnorderedIterator<'a, I: Iterator, R> {
    feed: Feed<I>,
    /// Without its pool nothing more would come.
    pool: PhantomData<&'a Pool>,
    /// Of a chunk that has come.
    results: std::vec::IntoIter<R>,
}

/// The results of [`Pool::imap`](super::Pool::imap), in the order of the arguments.
pub struct IMapIterator<'a, I: Iterator, R> {
    feed: Feed<I>,
    /// Without its pool nothing more would come.
    pool: PhantomData<&'a Pool>,
    results: std::vec::IntoIter<R>,
    /// Chunks that came before their turn.
    early: BTreeMap<usize, Result<Message, JobError>>,
    /// The chunk whose turn it is.
    turn: usize,
}

impl<I: Iterator, R: DeserializeOwned> IMapUnorderedIterator<'_, I, R> {
    pub(super) fn new(source: Source<I>) -> Self {
        Self {
            feed: Feed::new(source),
            pool: PhantomData,
            results: Vec::new().into_iter(),
        }
    }

    /// The next result, or [`JobError::NotReady`] if there is none when `timeout` has passed.
    pub fn next_timeout<T: Into<Timeout>>(&mut self, timeout: T) -> Option<Result<R, JobError>> {
        self.next_until(timeout.into().deadline())
    }

    fn next_until(&mut self, deadline: Deadline) -> Option<Result<R, JobError>> {
        loop {
            if let Some(result) = self.results.next() {
                return Some(Ok(result));
            }
            self.feed.top_up();
            if self.feed.is_over() {
                return None;
            }
            let Some((_, chunk)) = self.feed.arrivals.next(deadline) else {
                return Some(Err(JobError::NotReady));
            };
            self.feed.note_taken();
            match decode(chunk) {
                Ok(results) => self.results = results,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<I: Iterator, R: DeserializeOwned> IMapIterator<'_, I, R> {
    pub(super) fn new(source: Source<I>) -> Self {
        let (results, early) = (Vec::new().into_iter(), BTreeMap::new());
        Self {
            feed: Feed::new(source),
            pool: PhantomData,
            results,
            early,
            turn: 0,
        }
    }

    /// The next result, or [`JobError::NotReady`] if it is not there when `timeout` has passed.
    pub fn next_timeout<T: Into<Timeout>>(&mut self, timeout: T) -> Option<Result<R, JobError>> {
        self.next_until(timeout.into().deadline())
    }

    fn next_until(&mut self, deadline: Deadline) -> Option<Result<R, JobError>> {
        loop {
            if let Some(result) = self.results.next() {
                return Some(Ok(result));
            }
            self.feed.top_up();
            if self.feed.is_over() {
                return None;
            }
            let Some(chunk) = self.early.remove(&self.turn) else {
                match self.feed.arrivals.next(deadline) {
                    Some((part, chunk)) => self.early.insert(part, chunk),
                    None => return Some(Err(JobError::NotReady)),
                };
                continue;
            };
            self.turn += 1;
            self.feed.note_taken();
            match decode(chunk) {
                Ok(results) => self.results = results,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<I: Iterator, R: DeserializeOwned> Iterator for IMapUnorderedIterator<'_, I, R> {
    type Item = Result<R, JobError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(Deadline::NEVER)
    }
}

impl<I: Iterator, R: DeserializeOwned> Iterator for IMapIterator<'_, I, R> {
    type Item = Result<R, JobError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(Deadline::NEVER)
    }
}

impl<I: Iterator, R> fmt::Debug for IMapUnorderedIterator<'_, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IMapUnorderedIterator")
            .field("taken", &self.feed.taken)
            .finish()
    }
}

impl<I: Iterator, R> fmt::Debug for IMapIterator<'_, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IMapIterator")
            .field("taken", &self.feed.taken)
            .finish()
    }
}
