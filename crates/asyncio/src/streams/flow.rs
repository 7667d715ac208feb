//! How writers of a stream wait: CPython's `FlowControlMixin`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::futures::Future;
use crate::os_error::os_error;
use crate::site::{self, WaitsIn};
use crate::wait::release;

/// Whether the transport has too much to write, and who waits for it or for its end.
pub(crate) struct FlowControl {
    event_loop: EventLoop,
    paused: Cell<bool>,
    lost: Cell<bool>,
    drain_waiters: RefCell<VecDeque<Future<()>>>,
    closed: Future<()>,
}

impl FlowControl {
    pub(crate) fn new(event_loop: &EventLoop) -> Self {
        Self {
            event_loop: event_loop.clone(),
            paused: Cell::new(false),
            lost: Cell::new(false),
            drain_waiters: RefCell::default(),
            closed: event_loop.create_future(),
        }
    }

    pub(crate) fn pause_writing(&self) {
        self.paused.set(true);
    }

    pub(crate) fn resume_writing(&self) {
        self.paused.set(false);
        for waiter in &*self.drain_waiters.borrow() {
            release(waiter);
        }
    }

    pub(crate) fn connection_lost(&self, exc: Option<&Exception>) {
        finish(&self.closed, exc);
        // Nobody has to ask how the connection ended.
        self.closed.head().unseen.set(false);
        self.lost.set(true);
        let waiters = self.drain_waiters.take();
        for waiter in waiters {
            finish(&waiter, exc);
        }
    }

    /// Waits until the connection is lost.
    pub(super) async fn closed(&self) -> Result<()> {
        let closed = (&self.closed).into_future();
        site::mark(WaitsIn::StreamClosed);
        closed.await
    }

    /// Waits while the transport has too much to write.
    pub(super) async fn drain(&self) -> Result<()> {
        if self.lost.get() {
            let lost = io::Error::new(ErrorKind::ConnectionReset, "Connection lost");
            return Err(os_error(lost));
        }
        if !self.paused.get() {
            return Ok(());
        }
        let waiter = self.event_loop.create_future();
        self.drain_waiters.borrow_mut().push_back(waiter.clone());
        site::mark(WaitsIn::StreamDrain);
        let result = waiter.clone().waiting().await;
        self.drain_waiters
            .borrow_mut()
            .retain(|other| *other != waiter);
        result
    }
}

/// Completes `future`, unless it was cancelled.
fn finish(future: &Future<()>, exc: Option<&Exception>) {
    if future.done() {
        return;
    }
    // It is not done.
    let _ = match exc {
        None => future.set_result(()),
        Some(exception) => future.set_exception(exception.clone()),
    };
}
