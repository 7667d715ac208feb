//! SIGTERM and Ctrl-C, which ask a worker to end.

use std::sync::Arc;

use hilos_threading::Thread;
use nix::sys::signal::{SigSet, Signal};

use super::bench::Bench;
use crate::error::Error;

/// The thread that waits for signals. It sleeps in the system, and ends with the program.
pub(super) struct Signals(Thread);

fn set() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT].into_iter().collect()
}

/// Keeps the signals from this thread and those that it will start.
pub(super) fn block() -> Result<(), Error> {
    set()
        .thread_block()
        .map_err(|error| Error::Worker(error.to_string()))
}

impl Signals {
    pub(super) fn watch(bench: Arc<Bench>) -> Result<Self, Error> {
        let watch = move || {
            while set().wait().is_ok() {
                tracing::info!("a signal: the worker ends");
                bench.close();
            }
        };
        let thread = Thread::new(watch)
            .with_name("hilos-cluster-signals")
            .with_daemon(true);
        thread
            .start()
            .map_err(|error| Error::Worker(error.to_string()))?;
        Ok(Self(thread))
    }

    /// Leaves the thread alone, which nobody can wake.
    pub(super) fn forget(self) {
        drop(self.0);
        let _ = set().thread_unblock();
    }
}
