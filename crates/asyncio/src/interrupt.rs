//! What Ctrl-C does to a run: it cancels the main task first, and ends the run the second time.

use std::cell::Cell;
use std::rc::Rc;

use crate::any_future::{AnyRc, cancel};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::KeyboardInterrupt;

/// Handles Ctrl-C while it lives, if the program leaves it to the system and this is the main thread.
pub(crate) struct Interrupts {
    event_loop: EventLoop,
    task: AnyRc,
    /// How often it was pressed.
    count: Rc<Cell<u32>>,
    handled: bool,
}

impl Interrupts {
    pub(crate) fn new(event_loop: &EventLoop, task: AnyRc) -> Self {
        let mut interrupts = Self {
            event_loop: event_loop.clone(),
            task,
            count: Rc::default(),
            handled: false,
        };
        interrupts.handled = interrupts.handle();
        interrupts
    }

    #[cfg(target_os = "linux")]
    fn handle(&self) -> bool {
        use nix::sys::signal::Signal;
        if !crate::unix_events::may_handle_sigint() {
            return false;
        }
        let (task, count) = (self.task.clone(), self.count.clone());
        let on_sigint = move || {
            count.set(count.get() + 1);
            if count.get() == 1 && !task.head().done() {
                cancel(task.clone(), None);
                return Ok(());
            }
            Err(Exception::from(KeyboardInterrupt::default()))
        };
        // Where the system refuses, Ctrl-C ends the process as before.
        self.event_loop
            .handle_signal(Signal::SIGINT, None, on_sigint)
            .is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn handle(&self) -> bool {
        false
    }

    /// The run's result, where a cancellation that came from Ctrl-C is a `KeyboardInterrupt`.
    pub(crate) fn result<T>(&self, result: Result<T>) -> Result<T> {
        match result {
            Err(exception) if exception.is_cancelled() && self.count.get() > 0 => {
                let left = self.task.task().map_or(1, |task| task.uncancel());
                match left {
                    0 => Err(KeyboardInterrupt::default().into()),
                    _ => Err(exception),
                }
            }
            result => result,
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        if self.handled {
            // The number is that of a signal.
            let _ = self
                .event_loop
                .remove_signal_handler(nix::sys::signal::Signal::SIGINT as i32);
        }
    }
}
