//! One of the tasks that a worker runs at once: a thread, and the process that it has.

use std::time::Instant;

use hilos_multiprocessing::ProcessFailure;
use hilos_multiprocessing::pool::WorkerLost;
use hilos_multiprocessing::remote::{CallError, Callee, Worker as Child};

use super::bench::{Bench, Killed};
use super::builder::Settings;
use crate::engine::Delivery;
use crate::error::Error;
use crate::message::{Outcome, Setback, check_size};
use crate::registry::find;

pub(super) struct Slot {
    settings: Settings,
    child: Option<Child>,
    /// How many tasks the process has done.
    tasks: usize,
}

impl Slot {
    /// A slot with a process that is ready.
    pub(super) fn start(settings: Settings) -> Result<Self, Error> {
        let mut slot = Self {
            settings,
            child: None,
            tasks: 0,
        };
        slot.hire()?;
        Ok(slot)
    }

    fn hire(&mut self) -> Result<(), Error> {
        let initializer = self.settings.initializer.as_deref();
        let child = Child::start(self.settings.start_method, initializer)
            .map_err(|error| Error::Worker(error.to_string()))?;
        match child.ready() {
            Ok(()) => {}
            Err(CallError::Failed(failure)) => {
                return Err(Error::Worker(format!("the initializer failed: {failure}")));
            }
            Err(CallError::Lost) => {
                return Err(Error::Worker(
                    "the process of a slot died at its start".into(),
                ));
            }
        }
        (self.child, self.tasks) = (Some(child), 0);
        Ok(())
    }

    /// Does tasks until the worker ends.
    pub(super) fn run(mut self, bench: &Bench) {
        while let Some(mut delivery) = bench.next() {
            let span = tracing::debug_span!(
                "task",
                function = delivery.function,
                client = delivery.client,
                number = delivery.number,
                attempt = delivery.attempt
            );
            let _entered = span.enter();
            let began = Instant::now();
            let outcome = self.perform(bench, &mut delivery);
            bench.finish(delivery, outcome, began.elapsed());
            self.rest();
        }
        if let Some(child) = &self.child {
            child.stop();
        }
    }

    /// Runs a task, again if its process dies; `None` if it is no longer this worker's.
    fn perform(&mut self, bench: &Bench, delivery: &mut Delivery) -> Option<Outcome> {
        let Some(callee) = find(&delivery.function) else {
            return Some(Err(Setback::unknown(&delivery.function)));
        };
        let mut lost = None;
        while delivery.attempt <= self.settings.max_retries + 1 {
            if self.child.is_none()
                && let Err(error) = self.hire()
            {
                bench.break_down(error.to_string());
                return None;
            }
            match self.attempt(bench, callee, delivery) {
                Ok(outcome) => return outcome,
                Err(Died) => {
                    tracing::warn!(function = delivery.function, "the process of a slot died");
                    lost = self.autopsy(&delivery.function);
                    delivery.attempt += 1;
                }
            }
        }
        // Without a process that died here it was whole workers that did.
        let unseen = || WorkerLost::unseen(delivery.attempt - 1, &delivery.function);
        Some(Err(Setback::Lost(lost.unwrap_or_else(unseen))))
    }

    /// Has the process run a task.
    fn attempt(
        &mut self,
        bench: &Bench,
        callee: Callee,
        delivery: &Delivery,
    ) -> Result<Option<Outcome>, Died> {
        let Some(child) = &self.child else {
            return Ok(None);
        };
        if !bench.begin(delivery, child.process()) {
            return Ok(None);
        }
        let result = call(child, callee, delivery);
        self.tasks += 1;
        let Some(killed) = bench.stop(delivery) else {
            return result.map(Some);
        };
        self.dismiss();
        Ok(match killed {
            Killed::TimedOut => Some(Err(Setback::TimedOut)),
            Killed::Disowned => None,
        })
    }

    /// Replaces the process if it has done its share or has grown too large.
    fn rest(&mut self) {
        let Some(child) = &self.child else { return };
        let done = self
            .settings
            .max_tasks
            .is_some_and(|most| self.tasks >= most);
        let large = self
            .settings
            .max_memory
            .is_some_and(|most| memory(child) > most);
        if done || large {
            child.stop();
            self.child = None;
        }
    }

    /// Gets rid of a process that was killed or is to be.
    fn dismiss(&mut self) {
        if let Some(child) = self.child.take() {
            let _ = child.process().kill();
            let _ = child.process().join(None);
        }
    }

    /// How the process died.
    fn autopsy(&mut self, function: &str) -> Option<WorkerLost> {
        let child = self.child.take()?;
        let process = child.process();
        // It may have closed its end and run on, which is of no use either.
        let _ = process.join(1);
        let _ = process.kill();
        let _ = process.join(None);
        let peak = match process.result() {
            Some(Err(ProcessFailure::Killed { peak_kib, .. })) => peak_kib,
            _ => 0,
        };
        let (pid, exitcode) = (process.pid().unwrap_or(0), process.exitcode().unwrap_or(-1));
        Some(WorkerLost::new(pid, exitcode, peak, function.to_owned()))
    }
}

struct Died;

fn call(child: &Child, callee: Callee, delivery: &Delivery) -> Result<Outcome, Died> {
    match child.call_encoded(callee, &delivery.args) {
        Ok(results) => Ok(
            match check_size("results", &delivery.function, results.len()) {
                Ok(()) => Ok(results),
                Err(reason) => Err(Setback::Encoding(reason)),
            },
        ),
        Err(CallError::Failed(failure)) => Ok(Err(Setback::Failed(failure))),
        Err(CallError::Lost) => Err(Died),
    }
}

/// How much memory a process has, in KiB.
fn memory(child: &Child) -> u64 {
    let pid = child.process().pid().unwrap_or(0);
    let pages = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok();
    let resident = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<u64>().ok());
    resident.unwrap_or(0) * 4
}
