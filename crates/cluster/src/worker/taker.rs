//! The thread that takes tasks from the queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bench::Bench;
use crate::engine::{Delivery, Engine, Fault};

/// How long one call of the server waits; so long a worker that is told to end may go on taking.
const WAIT: Duration = Duration::from_millis(250);

pub(super) struct Taker {
    bench: Arc<Bench>,
    engine: Box<dyn Engine>,
    worker: String,
    lease: Duration,
    /// When expired leases are looked for next.
    scan: Instant,
}

impl Taker {
    pub(super) fn new(
        bench: Arc<Bench>,
        engine: Box<dyn Engine>,
        worker: String,
        lease: Duration,
    ) -> Self {
        Self {
            bench,
            engine,
            worker,
            lease,
            scan: Instant::now(),
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let room = self.bench.wait_for_room();
            if room == 0 {
                return;
            }
            match self.turn(room) {
                Ok(deliveries) => self.bench.add(deliveries),
                Err(Fault::Refused(reason)) => return self.bench.break_down(reason),
                Err(Fault::Lost(reason)) => {
                    tracing::warn!(reason, "lost the server");
                    let bench = self.bench.clone();
                    if let Err(error) = self.engine.connect(&|| !bench.is_closing()) {
                        return self.bench.break_down(error.to_string());
                    }
                    // Without the server nobody could renew a lease: they have a while for that.
                    self.scan = Instant::now() + self.lease / 2;
                }
            }
        }
    }

    /// Tasks: first those that others have let expire, which have waited longest.
    fn turn(&mut self, room: usize) -> Result<Vec<Delivery>, Fault> {
        let now = Instant::now();
        if self.scan <= now {
            let claimed = self.engine.claim(&self.worker, self.lease, room)?;
            if !claimed.is_empty() {
                tracing::info!(tasks = claimed.len(), "took over what another worker had");
                return Ok(claimed);
            }
            self.scan = now + self.lease / 2;
        }
        let wait = self.scan.saturating_duration_since(now).min(WAIT);
        self.engine.take(&self.worker, room, wait)
    }
}
