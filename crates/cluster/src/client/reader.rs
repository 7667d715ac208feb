//! The thread that receives results.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::engine::{Arrival, Engine, Fault, Results};
use crate::message::unpack;

/// How long one call of the server waits.
const WAIT: Duration = Duration::from_millis(500);

pub(super) struct Reader {
    shared: Arc<Shared>,
    engine: Box<dyn Engine>,
    /// The last result that was read. Reading takes nothing away, so that a reply may be lost.
    place: String,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, engine: Box<dyn Engine>) -> Self {
        let place = String::from("0");
        Self {
            shared,
            engine,
            place,
        }
    }

    pub(super) fn run(mut self) {
        while !self.shared.ledger.lock().is_closed() {
            match self.engine.results(&self.shared.name, &self.place, WAIT) {
                Ok(Results { arrivals, last }) => {
                    let Some(last) = last else { continue };
                    deliver(&self.shared, arrivals, &last);
                    self.place = last;
                }
                Err(Fault::Refused(reason)) => return self.shared.break_down(&reason),
                Err(fault) => self.start_again(&fault),
            }
        }
    }

    /// Reads from the beginning, because a server that lost everything may count anew. The courier
    /// will notice what it was that failed.
    fn start_again(&mut self, fault: &Fault) {
        tracing::debug!(?fault, "lost the server");
        self.place = "0".into();
        let shared = self.shared.clone();
        let _ = self.engine.connect(&|| !shared.ledger.lock().is_closed());
        self.shared.ledger.lock().doubt();
        self.shared.bell.ring();
    }
}

/// Hands results over to those who wait for them.
fn deliver(shared: &Shared, arrivals: Vec<Arrival>, read_to: &str) {
    let (settled, full) = {
        let mut ledger = shared.ledger.lock();
        let full = !ledger.has_room(shared.setup.window);
        ledger.note_read(read_to);
        (ledger.settle(arrivals), full)
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
