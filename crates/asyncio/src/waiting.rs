//! How an iteration waits for what comes from outside, and until what is due.

#[cfg(target_os = "linux")]
use std::rc::Weak;
use std::time::Duration;

use crate::base_events::EventLoop;

impl EventLoop {
    /// Sleeps until something is ready, due or sent.
    pub(crate) fn wait_for_events(&self) {
        let timeout = self.timeout();
        if timeout == Some(Duration::ZERO) {
            self.0.guest.turn(self);
            if self.watches_any() && !self.would_see_nothing_new() {
                self.look(timeout);
            }
        } else if !self.0.clock.is_virtual() {
            self.sleep(timeout);
        } else {
            self.sleep_virtually(timeout);
        }
    }

    /// How long the loop may sleep.
    fn timeout(&self) -> Option<Duration> {
        let busy = self.has_ready() || self.0.stopping.get();
        if busy || self.0.shared.inbox.has_any() {
            return Some(Duration::ZERO);
        }
        let when = self.0.timers.borrow().next();
        when.map(|when| self.0.clock.until(when))
    }

    fn sleep(&self, timeout: Option<Duration>) {
        if !self.0.guest.sleep(self, timeout) {
            self.sleep_alone(timeout);
        }
    }

    fn sleep_virtually(&self, timeout: Option<Duration>) {
        self.0.guest.turn(self);
        if self.watches_any() {
            self.look(Some(Duration::ZERO));
        }
        match timeout {
            _ if self.has_ready() => {}
            // Nobody knows how long another thread takes in virtual time.
            Some(_) if !self.0.returns.any() => {
                let when = self.0.timers.borrow().next();
                self.0.clock.advance(when);
            }
            _ => self.sleep(None),
        }
    }
}

#[cfg(target_os = "linux")]
impl EventLoop {
    pub(crate) fn close_selector(&self) {
        self.remove_signal_handlers();
        let selector = self.0.selector.take();
        drop(selector);
        let transports = self.0.transports.take();
        for transport in transports.values().filter_map(Weak::upgrade) {
            transport.abandon();
        }
    }
}

/// Elsewhere there is nothing but calls from other threads to wait for.
#[cfg(not(target_os = "linux"))]
impl EventLoop {
    fn watches_any(&self) -> bool {
        false
    }

    fn would_see_nothing_new(&self) -> bool {
        true
    }

    fn sleep_alone(&self, timeout: Option<Duration>) {
        self.0.shared.inbox.sleep(timeout);
    }

    pub(crate) fn look(&self, _timeout: Option<Duration>) {}

    pub(crate) fn check_interrupts(&self) {}

    pub(crate) fn close_selector(&self) {}
}
