//! What a worker tells the server: outcomes, which tasks it still has, and that it lives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bench::Bench;
use super::builder::{Settings, host};
use crate::engine::{Completion, Engine, Fault};
use crate::error::Error;
use crate::status::WorkerStatus;

/// How long a worker that is to end tries to reach the server.
const LAST: Duration = Duration::from_secs(5);

/// How much goes to the server at a time.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 4 << 20;

pub(super) struct Clerk {
    bench: Arc<Bench>,
    engine: Box<dyn Engine>,
    worker: String,
    settings: Settings,
    began: Instant,
    /// When leases are renewed next.
    renewal: Instant,
}

impl Clerk {
    pub(super) fn new(
        bench: Arc<Bench>,
        engine: Box<dyn Engine>,
        worker: String,
        settings: Settings,
    ) -> Self {
        let now = Instant::now();
        Self {
            bench,
            engine,
            worker,
            settings,
            began: now,
            renewal: now,
        }
    }

    /// Works until the worker is to end and has nothing to do.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        let mut closing_since = None;
        loop {
            let outcomes = self.bench.wait_for_outcomes(self.renewal);
            self.bench.enforce_limits();
            let done = self.turn(outcomes);
            if self.bench.is_closing() {
                closing_since.get_or_insert_with(Instant::now);
            }
            match done {
                Ok(()) if self.bench.is_over() => break,
                Ok(()) => {}
                Err(fault) => self.survive(fault, closing_since)?,
            }
        }
        let broken = self.bench.broken();
        broken.map_or(Ok(()), |reason| Err(Error::Worker(reason)))
    }

    /// Connects again, if that is of any use.
    fn survive(&mut self, fault: Fault, closing_since: Option<Instant>) -> Result<(), Error> {
        match fault {
            Fault::Refused(reason) => {
                self.bench.break_down(reason.clone());
                Err(Error::Server(reason))
            }
            Fault::Lost(reason) => {
                tracing::warn!(reason, "lost the server");
                let patient = || closing_since.is_none_or(|since| since.elapsed() < LAST);
                self.engine.connect(&patient)
            }
        }
    }

    /// Leaves nothing behind: what was taken at the last moment goes back.
    pub(super) fn leave(mut self) {
        let rest = self.bench.take_stuck();
        if !rest.is_empty() {
            let _ = self.engine.give_back(&rest);
        }
        let _ = self.engine.report(&self.worker, "", self.valid());
    }

    fn turn(&mut self, outcomes: Vec<(String, Completion)>) -> Result<(), Fault> {
        self.answer(outcomes)?;
        let stuck = self.bench.take_stuck();
        if !stuck.is_empty() {
            // If that fails, their lease expires.
            self.engine.give_back(&stuck)?;
        }
        let now = Instant::now();
        if now >= self.renewal {
            self.renewal = now + self.settings.lease / 3;
            self.renew()?;
        }
        Ok(())
    }

    /// Answers tasks, those of one client together.
    fn answer(&mut self, mut outcomes: Vec<(String, Completion)>) -> Result<(), Fault> {
        while let Some((client, _)) = outcomes.first() {
            let client = client.clone();
            let (batch, rest) = split(outcomes, &client);
            outcomes = rest;
            match self.engine.complete(&client, &batch) {
                Ok(recorded) => {
                    tracing::trace!(recorded, of = batch.len(), "answered");
                    self.bench.forget(batch.iter().map(|done| &*done.id));
                }
                Err(fault) => {
                    let again = batch.into_iter().map(|done| (client.clone(), done));
                    self.bench.put_back(again.chain(outcomes).collect());
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    fn renew(&mut self) -> Result<(), Fault> {
        let held = self.bench.held();
        if !held.is_empty() {
            let leases = self.engine.renew(&self.worker, &held)?;
            self.bench.note_leases(&held, &leases);
        }
        let (slots, busy) = (self.settings.slots, self.bench.busy());
        let text = WorkerStatus::text(&host(), slots, busy, self.began.elapsed());
        self.engine.report(&self.worker, &text, self.valid())
    }

    /// For how long a report counts.
    fn valid(&self) -> Duration {
        self.settings.lease * 3
    }
}

/// Outcomes of one client that go to the server together, and the others.
fn split(
    outcomes: Vec<(String, Completion)>,
    client: &str,
) -> (Vec<Completion>, Vec<(String, Completion)>) {
    let (mut batch, mut rest, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (other, done) in outcomes {
        if other == client && batch.len() < BATCH && bytes < BATCH_BYTES {
            bytes += done.outcome.len();
            batch.push(done);
        } else {
            rest.push((other, done));
        }
    }
    (batch, rest)
}
