//! What a loop does about tokio without the feature: nothing.

use std::time::Duration;

use crate::base_events::EventLoop;
use crate::exception::Result;

#[derive(Default)]
pub(crate) struct Guest(());

/// Never there.
pub(crate) enum Handle {}

impl Handle {
    pub(crate) fn enter(&self) -> Entered {
        match *self {}
    }
}

pub(crate) struct Entered;

impl Guest {
    #[inline]
    pub(crate) fn handle(&self) -> Result<Option<Handle>> {
        Ok(None)
    }

    #[inline]
    pub(crate) fn turn(&self, _event_loop: &EventLoop) {}

    #[inline]
    pub(crate) fn sleep(&self, _event_loop: &EventLoop, _timeout: Option<Duration>) -> bool {
        false
    }

    pub(crate) fn shut_down(&self, _limit: Duration) {}
}
