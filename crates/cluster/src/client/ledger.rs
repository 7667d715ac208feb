//! What has been sent and is not answered.

use std::collections::HashMap;
use std::time::Duration;

use hilos_multiprocessing::pool::elsewhere::{Counter, Errand};

use crate::engine::{Arrival, NewTask};
use crate::message::Order;

/// How many bytes of arguments may be unanswered.
const BYTES: usize = 128 << 20;

/// How much goes to the server at a time.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 4 << 20;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    unanswered: HashMap<u64, Errand<Order>>,
    /// How many bytes their arguments have.
    bytes: usize,
    /// The number of the last task.
    last: u64,
    /// Tasks that the server may forget.
    answered: Vec<u64>,
    /// Tasks that it is to take back.
    cancelled: Vec<u64>,
    /// Where results have been read to.
    read_to: String,
    /// Whether the server may have lost something.
    doubtful: bool,
    closed: bool,
}

/// A task on its way to the server.
#[derive(Debug)]
pub(super) struct Sent {
    number: u64,
    order: Order,
    limit: Option<Duration>,
}

impl Sent {
    fn new(number: u64, errand: &Errand<Order>) -> Self {
        Self {
            number,
            order: errand.job().clone(),
            limit: errand.limit(),
        }
    }

    pub(super) fn task(&self) -> NewTask<'_> {
        NewTask {
            number: self.number,
            function: self.order.function,
            args: &self.order.args,
            limit: self.limit,
        }
    }
}

impl Ledger {
    /// Takes jobs from the counter as long as there is room, up to a batch.
    pub(super) fn fill(&mut self, counter: &Counter<Order>, window: usize) -> Vec<Sent> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while self.has_room(window) && batch.len() < BATCH && bytes < BATCH_BYTES {
            let Some(errand) = counter.take() else { break };
            let size = errand.job().args.len();
            self.last += 1;
            bytes += size;
            self.bytes += size;
            batch.push(Sent::new(self.last, &errand));
            self.unanswered.insert(self.last, errand);
        }
        batch
    }

    /// Whether more tasks may be sent. One may always, however large it is.
    pub(super) fn has_room(&self, window: usize) -> bool {
        self.unanswered.len() < window && (self.bytes < BYTES || self.unanswered.is_empty())
    }

    /// Strikes what has arrived, and returns who waits for it.
    pub(super) fn settle(&mut self, arrivals: Vec<Arrival>) -> Vec<(Errand<Order>, Vec<u8>)> {
        let mut settled = Vec::with_capacity(arrivals.len());
        for Arrival { number, outcome } in arrivals {
            self.answered.push(number);
            match self.remove(number) {
                Some(errand) => settled.push((errand, outcome)),
                None => tracing::debug!(number, "a result that nobody waits for"),
            }
        }
        settled
    }

    /// The place after which results are read next. Reading takes nothing away, so that a reply may
    /// be lost.
    pub(super) fn place(&self) -> String {
        match &*self.read_to {
            "" => "0".into(),
            place => place.into(),
        }
    }

    /// Notes where results have been read to, unless they are to be read from the beginning by now.
    pub(super) fn note_read(&mut self, from: &str, to: String) {
        if self.place() == from {
            self.read_to = to;
        }
    }

    fn remove(&mut self, number: u64) -> Option<Errand<Order>> {
        let errand = self.unanswered.remove(&number)?;
        self.bytes -= errand.job().args.len();
        Some(errand)
    }

    /// What the server may drop: the place that was read to, and numbers.
    pub(super) fn take_receipts(&mut self) -> (String, Vec<u64>) {
        (self.read_to.clone(), std::mem::take(&mut self.answered))
    }

    pub(super) fn put_back_receipts(&mut self, answered: Vec<u64>) {
        self.answered.extend(answered);
    }

    pub(super) fn receipts(&self) -> usize {
        self.answered.len()
    }

    /// The numbers of all that is not answered, the oldest first.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.unanswered.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// Tasks again, of those numbers that are still not answered.
    pub(super) fn again<'a>(&self, numbers: impl Iterator<Item = &'a u64>) -> Vec<Sent> {
        let again = |number: &u64| Some(Sent::new(*number, self.unanswered.get(number)?));
        numbers.filter_map(again).collect()
    }

    /// Notes that the server may have lost something, and even count its results anew: they are read
    /// from the beginning.
    pub(super) fn doubt(&mut self) {
        self.doubtful = true;
        self.read_to.clear();
    }

    /// Whether that is so; from here on it is not.
    pub(super) fn take_doubt(&mut self) -> bool {
        std::mem::take(&mut self.doubtful)
    }

    /// Strikes the tasks of a call, and has the server take them back.
    pub(super) fn cancel(&mut self, call: usize) -> Vec<Errand<Order>> {
        let of_it = self
            .unanswered
            .iter()
            .filter(|(_, errand)| errand.call() == call);
        let numbers: Vec<u64> = of_it.map(|(number, _)| *number).collect();
        let errands = numbers
            .iter()
            .filter_map(|number| self.remove(*number))
            .collect();
        self.cancelled.extend(numbers);
        errands
    }

    pub(super) fn take_cancelled(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.cancelled)
    }

    pub(super) fn put_back_cancelled(&mut self, numbers: Vec<u64>) {
        self.cancelled.extend(numbers);
    }

    /// Strikes everything, for good.
    pub(super) fn close(&mut self) -> Vec<Errand<Order>> {
        self.closed = true;
        let numbers = self.numbers();
        numbers
            .iter()
            .filter_map(|number| self.remove(*number))
            .collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unanswered.is_empty()
    }
}
