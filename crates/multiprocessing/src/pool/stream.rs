//! The side of an imap that feeds the workers, and what comes back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hilos_core::time::Deadline;
use parking_lot::{Condvar, Mutex};

use super::call::{Call, Chunks};
use super::error::JobError;
use super::progress::{length, report};
use super::results::Results;
use super::task::Sink;

/// How many chunks of an imap are under way or waiting to be taken, for each worker.
const AHEAD: usize = 8;

/// The number of a chunk, and what became of it.
type Arrival = (usize, Result<Results, JobError>);

/// What comes back, in the order in which it does.
#[derive(Default)]
pub(super) struct Arrivals {
    state: Mutex<VecDeque<Arrival>>,
    arrived: Condvar,
}

impl Arrivals {
    fn next(&self, deadline: Deadline) -> Option<Arrival> {
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
    fn deliver(&self, part: usize, results: Result<Results, JobError>) {
        self.state.lock().push_back((part, results));
        self.arrived.notify_one();
    }
}

/// Which of the chunks is taken next.
pub(super) trait Order: Default {
    fn next(&mut self, arrivals: &Arrivals, deadline: Deadline) -> Option<Arrival>;
}

/// The first that comes.
#[derive(Default)]
pub(super) struct AsTheyCome;

impl Order for AsTheyCome {
    fn next(&mut self, arrivals: &Arrivals, deadline: Deadline) -> Option<Arrival> {
        arrivals.next(deadline)
    }
}

/// The one after the last.
#[derive(Default)]
pub(super) struct InTurn {
    /// Chunks that came before their turn.
    early: BTreeMap<usize, Result<Results, JobError>>,
    turn: usize,
}

impl Order for InTurn {
    fn next(&mut self, arrivals: &Arrivals, deadline: Deadline) -> Option<Arrival> {
        loop {
            if let Some(results) = self.early.remove(&self.turn) {
                self.turn += 1;
                return Some((self.turn - 1, results));
            }
            let (part, results) = arrivals.next(deadline)?;
            self.early.insert(part, results);
        }
    }
}

/// The results of an imap; takes items from the iterator only as results are taken.
pub(super) struct Stream<I: Iterator, R, O> {
    call: Call<I::Item, R>,
    chunks: Chunks<I>,
    arrivals: Arc<Arrivals>,
    order: O,
    /// How many chunks have been handed over.
    sent: usize,
    /// How many have been taken.
    taken: usize,
    /// Of the chunk that was taken last.
    results: std::vec::IntoIter<R>,
    /// How many chunks may be under way or waiting to be taken.
    ahead: usize,
    /// How many items are done.
    done: usize,
}

impl<I: Iterator, R, O: Order> Stream<I, R, O> {
    pub(super) fn new<T>(call: Call<I::Item, R>, items: T) -> Self
    where
        T: IntoIterator<IntoIter = I>,
    {
        let chunksize = call.options.chunksize.unwrap_or(1);
        let buffer = call.options.buffersize.map(|items| items / chunksize);
        let mut stream = Self {
            chunks: Chunks::new(items, chunksize),
            arrivals: Arc::default(),
            order: O::default(),
            sent: 0,
            taken: 0,
            results: Vec::new().into_iter(),
            ahead: buffer.unwrap_or(call.workers * AHEAD).max(1),
            done: 0,
            call,
        };
        stream.top_up();
        stream
    }

    /// The next result, an error of its own if there is none when the deadline has passed.
    pub(super) fn next(&mut self, deadline: Deadline) -> Option<Result<R, JobError>> {
        loop {
            if let Some(result) = self.results.next() {
                return Some(Ok(result));
            }
            self.top_up();
            if self.taken == self.sent {
                return None;
            }
            let Some((part, results)) = self.order.next(&self.arrivals, deadline) else {
                return Some(Err(JobError::NotReady));
            };
            self.note_taken(part);
            match results.and_then(self.call.open) {
                Ok(results) => self.results = results.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Hands over chunks up to the limit.
    fn top_up(&mut self) {
        while self.sent - self.taken < self.ahead && !self.call.is_over() {
            let Some(chunk) = self.chunks.next() else {
                return self.call.end();
            };
            let (part, sink) = (self.sent, self.arrivals.clone());
            self.sent += 1;
            if let Err(error) = self.call.submit(chunk, part, &(sink as Arc<dyn Sink>)) {
                // What cannot be encoded is one chunk's fault, anything else the pool's.
                if !matches!(error, JobError::Encoding(_)) {
                    self.call.end();
                }
                self.arrivals.deliver(part, Err(error));
            }
        }
    }

    /// Notes that a chunk is out of the way, and makes room for another.
    fn note_taken(&mut self, part: usize) {
        self.taken += 1;
        self.top_up();
        if let Some(progress) = &self.call.options.progress {
            let Chunks {
                taken, chunksize, ..
            } = self.chunks;
            self.done += length(part, taken, chunksize);
            report(&**progress, self.done, taken + self.chunks.left());
        }
    }

    /// How many chunks have been taken.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}
