//! One iteration of the loop, as CPython's: what has come from outside, what is due, what is ready.

use std::io::Write as _;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::ready::{Ready, Returned, Sent};
use crate::threadsafe::Injected;

/// The smallest difference that CPython's clock shows.
const CLOCK_RESOLUTION: f64 = 1e-9;

impl EventLoop {
    /// Takes in what has come from outside and what is due, then runs exactly the calls that are
    /// ready by now. What ends the run leaves the rest to the next one.
    pub(crate) fn run_once(&self) {
        self.prune_timers();
        self.wait_for_events();
        self.check_interrupts();
        self.receive();
        self.collect_due();
        let ready = &self.0.ready;
        ready.permute(&self.0.shuffle);
        let calls = ready.len();
        self.0.fed.set(0);
        for _ in 0..calls {
            self.check_interrupts();
            if self.0.raising.get() {
                break;
            }
            let Some(next) = ready.pop() else {
                break;
            };
            match self.get_debug() {
                true => self.run_timed(next),
                false => next.run(self),
            }
        }
        self.0.only_fed.set(calls > 0 && self.0.fed.get() == calls);
        ready.trim();
    }

    fn prune_timers(&self) {
        if self.0.timers.borrow().any_cancelled() {
            let pruned = self.0.timers.borrow_mut().prune();
            drop(pruned);
        }
    }

    /// Runs a call of debug mode, which warns of one that keeps the others waiting.
    fn run_timed(&self, ready: Rc<dyn Ready>) {
        let what = ready.what(self);
        let start = self.time();
        ready.run(self);
        let duration = self.time() - start;
        if duration >= self.slow_callback_duration() {
            // A closed standard error output is no reason to fail.
            let _ = writeln!(
                std::io::stderr(),
                "Executing {what} took {duration:.3} seconds"
            );
        }
    }

    #[inline]
    fn receive(&self) {
        if !self.0.shared.inbox.has_any() {
            return;
        }
        for item in self.0.shared.inbox.receive() {
            self.accept(item);
        }
    }

    pub(crate) fn accept(&self, item: Injected) {
        match item {
            Injected::Wake(key) => self.wake_task(key),
            Injected::Call(call) => self.push(Rc::new(Sent(call))),
            Injected::Return(number) => self.push(Rc::new(Returned(number))),
        }
    }

    fn collect_due(&self) {
        let mut timers = self.0.timers.borrow_mut();
        if timers.next().is_none() {
            return;
        }
        let now = self.time();
        // After some months a number of seconds has no room for a nanosecond more.
        let end = (now + CLOCK_RESOLUTION).max(now.next_up());
        while let Some(handle) = timers.pop_due(end) {
            self.push(handle);
        }
    }
}
