//! Where the loop watches no descriptors of its own, tokio has none to sleep in.

use std::task::Context;

use tokio::runtime::Runtime;

use crate::base_events::EventLoop;
use crate::exception::Result;

pub(super) enum Descriptors {}

impl Descriptors {
    pub(super) fn new(_event_loop: &EventLoop, _runtime: &Runtime) -> Result<Option<Self>> {
        Ok(None)
    }

    pub(super) fn poll(&self, _context: &mut Context<'_>) -> bool {
        match *self {}
    }
}
