//! The thread that receives results.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::engine::{Engine, Fault, Results};
use crate::message::unpack;

/// How long one call of the server waits.
const WAIT: Duration = Duration::from_millis(500);

pub(super) struct Reader {
    shared: Arc<Shared>,
    engine: Box<dyn Engine>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, engine: Box<dyn Engine>) -> Self {
        Self { shared, engine }
    }

    pub(super) fn run(mut self) {
        while !self.shared.ledger.lock().is_closed() {
            let place = self.shared.ledger.lock().place();
            match self.engine.results(&self.shared.name, &place, WAIT) {
                Ok(results) => deliver(&self.shared, results, &place),
                Err(Fault::Refused(reason)) => return self.shared.break_down(&reason),
                Err(fault) => self.start_again(&fault),
            }
        }
    }

    /// Has the courier look what the server has lost.
    fn start_again(&mut self, fault: &Fault) {
        tracing::debug!(?fault, "lost the server");
        let shared = self.shared.clone();
        let _ = self.engine.connect(&|| !shared.ledger.lock().is_closed());
        self.shared.ledger.lock().doubt();
        self.shared.bell.ring();
    }
}

/// Hands results over to those who wait for them.
fn deliver(shared: &Shared, results: Results, from: &str) {
    let Some(last) = results.last else { return };
    let (settled, full) = {
        let mut ledger = shared.ledger.lock();
        let full = !ledger.has_room(shared.setup.window);
        ledger.note_read(from, last);
        (ledger.settle(results.arrivals), full)
    };
    for (errand, outcome) in settled {
        errand.finish(unpack(outcome));
    }
    // There is room now, or receipts to send, or an end that the courier waits for.
    if full || !shared.counter.is_running() || shared.ledger.lock().receipts() > RECEIPTS {
        shared.bell.ring();
    }
}

/// With so many receipts the courier is told.
const RECEIPTS: usize = 512;
