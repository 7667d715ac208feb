//! What locks and queues have in common: the loop that they belong to.

use std::cell::RefCell;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::running;

/// The loop of the first task that had to wait for an object; no other may use it.
#[derive(Default)]
pub(crate) struct LoopBound(RefCell<Option<EventLoop>>);

impl LoopBound {
    /// The running loop, which the object belongs to from now on.
    ///
    /// `what` is the object, in case it belongs to another one.
    pub(crate) fn get_loop(&self, what: impl FnOnce() -> String) -> Result<EventLoop> {
        let running = running::get_running_loop()?;
        let mut bound = self.0.borrow_mut();
        match &*bound {
            Some(event_loop) if !event_loop.is(&running) => {
                let message = format!("{} is bound to a different event loop", what());
                return Err(RuntimeError::new(message).into());
            }
            Some(_) => {}
            None => *bound = Some(running.clone()),
        }
        Ok(running)
    }
}
