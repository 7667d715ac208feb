//! What a transport calls instead of its protocol while a file goes over it in pieces.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::RuntimeError;
use crate::futures::Future;
use crate::protocols::Protocol;
use crate::transports::Transport;
use crate::wait::release;

/// The protocol that has the sender of the file wait: CPython's `_SendfileFallbackProtocol`.
pub(super) struct StandIn {
    event_loop: EventLoop,
    protocol: Option<Rc<dyn Protocol>>,
    /// Done when the transport may be written to again; there while it may not.
    writable: RefCell<Option<Future<()>>>,
    lost: Cell<bool>,
}

/// The time in which the protocol is replaced.
pub(super) struct StandingIn<'t> {
    transport: &'t Transport,
    stand_in: Rc<StandIn>,
    resumes_reading: bool,
    resumes_writing: bool,
}

impl StandIn {
    pub(super) fn begin<'t>(event_loop: &EventLoop, transport: &'t Transport) -> StandingIn<'t> {
        let resumes_writing = transport.0.flow().is_paused();
        let stand_in = Rc::new(Self {
            event_loop: event_loop.clone(),
            protocol: transport.get_protocol(),
            writable: RefCell::new(resumes_writing.then(|| event_loop.create_future())),
            lost: Cell::new(false),
        });
        let resumes_reading = transport.is_reading();
        transport.pause_reading();
        transport.set_protocol(stand_in.clone());
        StandingIn {
            transport,
            stand_in,
            resumes_reading,
            resumes_writing,
        }
    }
}

impl StandingIn<'_> {
    /// Waits until it makes sense to write more.
    pub(super) async fn drain(&self) -> Result<()> {
        if self.transport.is_closing() {
            return Err(closed("Connection closed by peer"));
        }
        let writable = self.stand_in.writable.borrow().clone();
        match writable {
            Some(writable) => writable.await,
            None => Ok(()),
        }
    }
}

impl Drop for StandingIn<'_> {
    fn drop(&mut self) {
        let Some(protocol) = self.stand_in.protocol.clone() else {
            return;
        };
        if self.stand_in.lost.get() {
            return;
        }
        self.transport.set_protocol(protocol.clone());
        if self.resumes_reading {
            self.transport.resume_reading();
        }
        if !self.resumes_writing {
            return;
        }
        let event_loop = &self.stand_in.event_loop;
        // Only a closed loop refuses, and calls nobody any more.
        let _ = event_loop.call_soon(move || protocol.resume_writing());
    }
}

fn closed(message: &'static str) -> Exception {
    Exception::new("ConnectionError", message)
}

fn reading() -> Exception {
    RuntimeError::new("Invalid state: reading should be paused").into()
}

impl Protocol for StandIn {
    fn data_received(&self, _data: &[u8]) -> Result<()> {
        Err(reading())
    }

    fn eof_received(&self) -> Result<bool> {
        Err(reading())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        self.lost.set(true);
        let writable = self.writable.take();
        if let Some(writable) = writable.filter(|writable| !writable.done()) {
            let closed = || closed("Connection is closed by peer");
            writable.set_exception(exc.cloned().unwrap_or_else(closed))?;
            // The sender may be reading the file, and sees itself that the transport is closing.
            writable.head().unseen.set(false);
        }
        match &self.protocol {
            Some(protocol) => protocol.connection_lost(exc),
            None => Ok(()),
        }
    }

    fn pause_writing(&self) -> Result<()> {
        let mut writable = self.writable.borrow_mut();
        writable.get_or_insert_with(|| self.event_loop.create_future());
        Ok(())
    }

    fn resume_writing(&self) -> Result<()> {
        let writable = self.writable.take();
        if let Some(writable) = writable {
            release(&writable);
        }
        Ok(())
    }
}
