//! A worker and what it is told at its start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_multiprocessing::remote::Job;
use hilos_multiprocessing::{StartMethod, Target, get_start_method};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bench::Bench;
use super::clerk::Clerk;
use super::signals::{Signals, block};
use super::slot::Slot;
use super::taker::Taker;
use crate::client::unique;
use crate::engine::{Engine, Redis, Server};
use crate::error::Error;
use crate::thread;

/// Does the jobs of a queue, each in a process, until it is told to end.
///
/// [`worker_main`](crate::worker_main) makes one of the command line; use this type to run one
/// otherwise.
///
/// ```no_run
/// # use hilos_cluster as cluster;
/// use cluster::Worker;
///
/// fn square(x: i64) -> i64 { x * x }
///
/// cluster::register!(square);
/// Worker::new("redis://host/0", "squares").with_slots(8).with_maxtasksperchild(1000).run()?;
/// # Ok::<(), cluster::Error>(())
/// ```
#[must_use = "a worker works when it is `run`"]
#[derive(Debug)]
pub struct Worker {
    server: Result<Server, Error>,
    queue: String,
    settings: Result<Settings, Error>,
}

/// What a worker is told.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) slots: usize,
    pub(super) lease: Duration,
    pub(super) max_retries: u32,
    pub(super) prefetch: usize,
    pub(super) max_tasks: Option<usize>,
    pub(super) max_memory: Option<u64>,
    pub(super) initializer: Option<Arc<Job<()>>>,
    pub(super) start_method: StartMethod,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("slots", &self.slots)
            .field("lease", &self.lease)
            .field("max_retries", &self.max_retries)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker for a queue, with as many slots as this machine has processors.
    pub fn new(url: &str, queue: &str) -> Self {
        let settings = Settings {
            slots: hilos_multiprocessing::cpu_count(),
            lease: Duration::from_secs(3),
            max_retries: 3,
            prefetch: 64,
            max_tasks: None,
            max_memory: None,
            initializer: None,
            start_method: get_start_method(),
        };
        Self {
            server: Server::new(url),
            queue: queue.to_owned(),
            settings: Ok(settings),
        }
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        if let Ok(settings) = &mut self.settings {
            set(settings);
        }
        self
    }

    /// How many tasks run at once, each in a process of its own.
    pub fn with_slots(self, slots: usize) -> Self {
        self.set(|settings| settings.slots = slots.max(1))
    }

    /// How long after its last sign of life another worker takes a worker's tasks over; three
    /// seconds by default.
    ///
    /// All workers of a queue should have the same. A shorter one notices a death earlier, and takes
    /// more pauses for deaths: their tasks run twice.
    pub fn with_lease(self, lease: Duration) -> Self {
        self.set(|settings| settings.lease = lease.max(Duration::from_millis(30)))
    }

    /// How often a task may be given to another process after one that died of it; three times by
    /// default.
    pub fn with_max_retries(self, retries: u32) -> Self {
        self.set(|settings| settings.max_retries = retries)
    }

    /// How many short tasks lie ready for each slot, at most; 64 by default. Long ones never do.
    pub fn with_prefetch(self, prefetch: usize) -> Self {
        self.set(|settings| settings.prefetch = prefetch)
    }

    /// Replaces a slot's process after so many tasks.
    pub fn with_maxtasksperchild(self, tasks: usize) -> Self {
        self.set(|settings| settings.max_tasks = Some(tasks.max(1)))
    }

    /// Replaces a slot's process that has more than so many KiB of memory after a task.
    pub fn with_max_memory_per_child(self, kib: u64) -> Self {
        self.set(|settings| settings.max_memory = Some(kib))
    }

    /// Has each process call `function` with `args` before its first task.
    pub fn with_initializer<F, A>(mut self, function: F, args: A) -> Self
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        match Job::target(function, args) {
            Ok(job) => self.set(|settings| settings.initializer = Some(Arc::new(job))),
            Err(error) => {
                self.settings = Err(Error::Value(error.to_string()));
                self
            }
        }
    }

    /// How the processes are started.
    pub fn with_start_method(self, method: StartMethod) -> Self {
        self.set(|settings| settings.start_method = method)
    }

    /// Works until SIGTERM or Ctrl-C: then it finishes what it runs and gives the rest back. A
    /// second signal kills what it runs; others will take that over.
    ///
    /// Call it from a program's first thread, before there are others.
    ///
    /// # Errors
    /// [`Error`] if the server refuses, or if a process cannot be started or its initializer fails.
    /// For a server that cannot be reached the worker waits.
    ///
    /// # Blocking
    /// Until the end.
    pub fn run(self) -> Result<(), Error> {
        let (settings, server) = (self.settings?, self.server?);
        // Before the signals are blocked, which processes inherit.
        let slots = (0..settings.slots).map(|_| Slot::start(settings.clone()));
        let slots = slots.collect::<Result<Vec<_>, _>>()?;
        block()?;
        let bench = Arc::new(Bench::new(&settings));
        let signals = Signals::watch(bench.clone())?;
        let connect = || {
            let mut engine = Redis::new(&server, &self.queue);
            engine.connect(&|| !bench.is_closing())?;
            Ok(Box::new(engine) as Box<dyn Engine>)
        };
        let done = connect().and_then(|taking| {
            let answering = connect()?;
            tracing::info!(queue = self.queue, server = %server, "works");
            work(&settings, &bench, slots, taking, answering)
        });
        signals.forget();
        done
    }
}

/// Takes tasks, does and answers them, until the end.
fn work(
    settings: &Settings,
    bench: &Arc<Bench>,
    slots: Vec<Slot>,
    taking: Box<dyn Engine>,
    answering: Box<dyn Engine>,
) -> Result<(), Error> {
    let name = format!("{}-{}-{}", host(), std::process::id(), &unique()[..8]);
    let taker = Taker::new(bench.clone(), taking, name.clone(), settings.lease);
    let mut clerk = Clerk::new(bench.clone(), answering, name, settings.clone());
    let mut threads = vec![thread::start("taker", move || taker.run())?];
    for slot in slots {
        let bench = bench.clone();
        threads.push(thread::start("slot", move || slot.run(&bench))?);
    }
    let done = clerk.run();
    bench.end();
    for thread in threads {
        let _ = thread.join(None);
    }
    clerk.leave();
    done
}

/// This machine's name.
pub(super) fn host() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "unknown".into())
}
