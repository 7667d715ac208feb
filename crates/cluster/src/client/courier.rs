//! The thread that brings tasks to the server.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos_multiprocessing::pool::JobError;

use super::Shared;
use super::ledger::Sent;
use crate::engine::{Engine, Fault, News};

/// The server may hold results that have been received for about this long.
const RECEIPT: Duration = Duration::from_millis(100);

/// With so many of them they are sent at once.
const MANY: usize = 512;

/// How many tasks go again at a time.
const BATCH: usize = 64;

pub(super) struct Courier {
    shared: Arc<Shared>,
    engine: Box<dyn Engine>,
    /// Whether the server has been told of this client.
    introduced: bool,
    /// When it was told something last.
    spoke: Instant,
}

impl Courier {
    pub(super) fn new(shared: Arc<Shared>, engine: Box<dyn Engine>) -> Self {
        Self {
            shared,
            engine,
            introduced: false,
            spoke: Instant::now(),
        }
    }

    /// Runs until the pool is closed and everything answered, or it is terminated.
    pub(super) fn run(mut self) {
        // A worker that has a task looks whether its client lives, and has to find it.
        while !self.is_over() {
            let done = self.turn();
            if !self.survives(done) {
                break;
            }
        }
        self.leave();
    }

    fn turn(&mut self) -> Result<(), Fault> {
        self.take_back()?;
        if self.shared.ledger.lock().take_doubt() {
            // Should it fail, the connection is lost, and so it is done again.
            self.recover()?;
        }
        let batch = {
            let window = self.shared.setup.window;
            self.shared.ledger.lock().fill(&self.shared.counter, window)
        };
        if batch.is_empty() && !self.has_news() {
            let longest = self.longest();
            self.shared.bell.wait(longest);
            return Ok(());
        }
        self.submit(&batch)
    }

    /// Whether the server should hear from the client although there is nothing to do.
    fn has_news(&self) -> bool {
        let receipts = self.shared.ledger.lock().receipts();
        let silence = self.spoke.elapsed();
        !self.introduced
            || silence > self.shared.setup.expiry / 3
            || receipts > MANY
            || (receipts > 0 && silence > RECEIPT)
    }

    fn longest(&self) -> Duration {
        match self.shared.ledger.lock().receipts() {
            0 => self.shared.setup.expiry / 3,
            _ => RECEIPT,
        }
    }

    fn submit(&mut self, batch: &[Sent]) -> Result<(), Fault> {
        let (read_to, answered) = self.shared.ledger.lock().take_receipts();
        let news = News {
            client: &self.shared.name,
            expiry: self.shared.setup.expiry,
            read_to: &read_to,
            answered: &answered,
            tasks: batch.iter().map(Sent::task).collect(),
        };
        let (client, tasks, answers) = (news.client, batch.len(), answered.len());
        let span = tracing::trace_span!("submit", client, tasks, answers);
        let known = span.in_scope(|| self.engine.submit(&news));
        if known.is_err() {
            self.shared.ledger.lock().put_back_receipts(answered);
        }
        let known = known?;
        if self.introduced && !known {
            self.shared.ledger.lock().doubt();
        }
        if self.spoke.elapsed() > self.shared.setup.expiry / 3 {
            self.shared.note_slots(&mut *self.engine);
        }
        (self.introduced, self.spoke) = (true, Instant::now());
        Ok(())
    }

    fn take_back(&mut self) -> Result<(), Fault> {
        let numbers = self.shared.ledger.lock().take_cancelled();
        if numbers.is_empty() {
            return Ok(());
        }
        let cancelled = self.engine.cancel(&self.shared.name, &numbers);
        if cancelled.is_err() {
            self.shared.ledger.lock().put_back_cancelled(numbers);
        }
        cancelled.map(drop)
    }

    /// Brings what the server has lost once more, and takes back what it does not know to be done.
    ///
    /// What is done stays known until its receipt, so that nothing is taken for lost whose result
    /// is on its way.
    fn recover(&mut self) -> Result<(), Fault> {
        let known = self.engine.known(&self.shared.name)?;
        let numbers = self.shared.ledger.lock().numbers();
        let dropped = self.drop_answered(&known, &numbers)?;
        let absent = numbers.iter().filter(|number| !known.contains(number));
        let again = self.shared.ledger.lock().again(absent);
        tracing::info!(
            unanswered = numbers.len(),
            again = again.len(),
            dropped,
            "the server is back"
        );
        // It does not know this client, and that is no news.
        self.introduced = false;
        again.chunks(BATCH).try_for_each(|batch| self.submit(batch))
    }

    /// Takes tasks back that are answered, and that a server has which lost its last moments.
    fn drop_answered(&mut self, known: &HashSet<u64>, numbers: &[u64]) -> Result<usize, Fault> {
        let unanswered: HashSet<u64> = numbers.iter().copied().collect();
        let answered: Vec<u64> = known.difference(&unanswered).copied().collect();
        self.engine.cancel(&self.shared.name, &answered)
    }

    /// Whether there is any use in going on; reconnects if need be.
    fn survives(&mut self, done: Result<(), Fault>) -> bool {
        let refused = match done {
            Ok(()) => return true,
            Err(Fault::Refused(reason)) => reason,
            Err(Fault::Lost(reason)) => {
                tracing::warn!(reason, "lost the server");
                self.shared.ledger.lock().doubt();
                let shared = self.shared.clone();
                match self.engine.connect(&|| !shared.counter.is_terminated()) {
                    Ok(()) => return true,
                    Err(_) if self.shared.counter.is_terminated() => return false,
                    Err(error) => error.to_string(),
                }
            }
        };
        tracing::error!(reason = refused, "the server refuses");
        self.shared.break_down(&refused);
        false
    }

    fn is_over(&self) -> bool {
        self.shared.counter.is_terminated()
            || self.shared.ledger.lock().is_closed()
            || self.shared.counter.is_over() && self.shared.ledger.lock().is_empty()
    }

    /// Leaves nothing behind on the server, as far as it can be reached.
    fn leave(mut self) {
        let _ = self.take_back();
        let (numbers, errands) = {
            let mut ledger = self.shared.ledger.lock();
            (ledger.numbers(), ledger.close())
        };
        for errand in errands {
            errand.finish(Err(JobError::Terminated));
        }
        let _ = self.engine.cancel(&self.shared.name, &numbers);
        let _ = self.engine.forget(&self.shared.name);
    }
}
