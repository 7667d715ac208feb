//! The loop's own descriptors, while tokio sleeps for it.

use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::selector_events::os_error;

/// The loop's selector, which tokio sleeps in beside its own.
pub(super) struct Descriptors(AsyncFd<OwnedFd>);

impl Descriptors {
    /// `None` if the loop has no selector.
    pub(super) fn new(event_loop: &EventLoop, runtime: &Runtime) -> Result<Option<Self>> {
        let selector = event_loop.0.selector.borrow();
        let Some(selector) = &*selector else {
            return Ok(None);
        };
        let copy = selector.as_fd().try_clone_to_owned().map_err(os_error)?;
        let _context = runtime.enter();
        register(copy).map(Some)
    }

    /// Whether the loop has to look.
    ///
    /// tokio hears only of what was not ready at the loop's last look, which is why that has to
    /// have found nothing.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> bool {
        let Poll::Ready(ready) = self.0.poll_read_ready(context) else {
            return false;
        };
        if let Ok(mut ready) = ready {
            ready.clear_ready();
        }
        true
    }
}

#[allow(
    deprecated,
    reason = "what replaces it is unsafe, to ask for a descriptor that stays open: an owned one does"
)]
fn register(selector: OwnedFd) -> Result<Descriptors> {
    let registered = AsyncFd::with_interest(selector, Interest::READABLE);
    registered.map(Descriptors).map_err(os_error)
}
