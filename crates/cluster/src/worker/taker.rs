//! The thread that takes tasks from the queue.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::bench::Bench;
use crate::engine::{Engine, Fault};

/// How long one call of the server waits; so long a worker that is told to end may go on taking.
const WAIT: Duration = Duration::from_millis(250);

/// Before another attempt with a server that has just failed.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Taker {
    bench: Arc<Bench>,
    engine: Box<dyn Engine>,
    worker: String,
}

impl Taker {
    pub(super) fn new(bench: Arc<Bench>, engine: Box<dyn Engine>, worker: String) -> Self {
        Self {
            bench,
            engine,
            worker,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let room = self.bench.wait_for_room();
            if room == 0 {
                return;
            }
            match self.engine.take(&self.worker, room, WAIT) {
                Ok(deliveries) => self.bench.add(deliveries),
                Err(Fault::Refused(reason)) => return self.bench.break_down(reason),
                Err(Fault::Lost(reason)) => {
                    tracing::warn!(reason, "lost the server");
                    sleep(PAUSE);
                    let bench = self.bench.clone();
                    if let Err(error) = self.engine.connect(&|| !bench.is_closing()) {
                        return self.bench.break_down(error.to_string());
                    }
                }
            }
        }
    }
}
