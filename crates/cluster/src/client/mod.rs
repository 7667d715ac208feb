//! The client's side: what has been sent, and what comes back.

mod courier;
mod ledger;
mod reader;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hilos_core::time::Timeout;
use hilos_multiprocessing::Failure;
use hilos_multiprocessing::pool::elsewhere::{Counter, Crew, failure};
use hilos_threading::Thread;
use parking_lot::{Condvar, Mutex};

use crate::engine::{Engine, Redis, Server};
use crate::error::Error;
use crate::message::Order;
use crate::status::Status;
use crate::thread;
use courier::Courier;
use ledger::Ledger;
use reader::Reader;

/// How long a client tries to reach the server at first.
const FIRST: Duration = Duration::from_secs(5);

/// Where a client's pool is and how it behaves.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) server: Server,
    pub(crate) queue: String,
    /// How many tasks may be unanswered.
    pub(crate) window: usize,
    /// How long the server keeps what it has of a client that says nothing.
    pub(crate) expiry: Duration,
}

/// What the threads of a client share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) setup: Setup,
    /// The client's name on the server.
    pub(crate) name: String,
    pub(crate) counter: Counter<Order>,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) bell: Arc<Bell>,
    /// How many slots the workers have.
    slots: AtomicUsize,
}

/// Wakes the courier.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        let mut rung = self.rung.lock();
        if !*rung {
            *rung = true;
            self.heard.notify_one();
        }
    }

    fn wait(&self, longest: Duration) {
        let mut rung = self.rung.lock();
        if !*rung {
            self.heard.wait_for(&mut rung, longest);
        }
        *rung = false;
    }
}

/// A client; its tasks are dropped with it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) shared: Arc<Shared>,
    courier: Thread,
}

impl Client {
    /// Connects and starts the threads.
    pub(crate) fn start(setup: Setup) -> Result<Self, Error> {
        let (mut sending, reading) = (connect(&setup)?, connect(&setup)?);
        let bell = Arc::new(Bell::default());
        let ring = bell.clone();
        let shared = Arc::new(Shared {
            name: unique(),
            counter: Counter::new(move || ring.ring()),
            ledger: Mutex::default(),
            bell,
            slots: AtomicUsize::new(slots(&mut *sending)),
            setup,
        });
        let reader = Reader::new(shared.clone(), reading);
        let courier = Courier::new(shared.clone(), sending);
        thread::start("reader", move || reader.run())?;
        let courier = thread::start("courier", move || courier.run())?;
        Ok(Self { shared, courier })
    }

    /// Waits until everything is done; `false` if it is not when `timeout` has passed.
    pub(crate) fn join(&self, timeout: Timeout) -> bool {
        let _ = self.courier.join(timeout);
        !self.courier.is_alive()
    }
}

/// A connection of its own.
fn connect(setup: &Setup) -> Result<Box<dyn Engine>, Error> {
    let mut engine = Redis::new(&setup.server, &setup.queue);
    let began = Instant::now();
    engine.connect(&|| began.elapsed() < FIRST)?;
    Ok(Box::new(engine))
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.counter.terminate();
    }
}

impl Crew for Client {
    fn size(&self) -> usize {
        self.shared.slots.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// Takes the tasks of one call back; says whether there were any.
    pub(crate) fn cancel(&self, call: usize) -> bool {
        let waiting = self.counter.take_of(call);
        let sent = self.ledger.lock().cancel(call);
        let any = !waiting.is_empty() || !sent.is_empty();
        let cancelled = || Err(hilos_multiprocessing::pool::JobError::Cancelled);
        waiting
            .into_iter()
            .chain(sent)
            .for_each(|errand| errand.finish(cancelled()));
        self.bell.ring();
        any
    }

    fn note_slots(&self, engine: &mut dyn Engine) {
        self.slots.store(slots(engine), Ordering::Relaxed);
    }

    /// Fails everything, for a reason that will not pass.
    fn break_down(&self, reason: &str) {
        let failure: Failure = failure("ConnectionError", reason);
        self.counter.break_down(failure.clone());
        let errands = self.ledger.lock().close();
        let broken = || {
            Err(hilos_multiprocessing::pool::JobError::Broken(
                failure.clone(),
            ))
        };
        errands
            .into_iter()
            .for_each(|errand| errand.finish(broken()));
        self.bell.ring();
    }
}

/// How many slots the workers have; as many as processors here if there are no workers yet.
fn slots(engine: &mut dyn Engine) -> usize {
    let slots = engine
        .status()
        .map_or(0, |snapshot| Status::new(snapshot).slots());
    match slots {
        0 => hilos_multiprocessing::cpu_count(),
        slots => slots,
    }
}

/// A name that no other client has.
pub(crate) fn unique() -> String {
    use std::hash::{BuildHasher, RandomState};

    // The standard library seeds each of these at random.
    let [one, other] = [0, 1].map(|number| RandomState::new().hash_one(number));
    format!("{one:016x}{other:016x}")
}
