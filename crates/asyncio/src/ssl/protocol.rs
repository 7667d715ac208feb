//! The protocol between a connection and its program that encrypts: CPython's `SSLProtocol`.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read};
use std::rc::Rc;

use rustls::Connection;

use super::errors::ssl_error;
use super::start::Side;
use crate::base_events::EventLoop;
use crate::events::TimerHandle;
use crate::exception::{Exception, Result};
use crate::futures::Future;
use crate::handler::ExceptionContext;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::transports::{Transport, invoke};
use crate::wait::release;

/// How much is decrypted at once.
const MAX_SIZE: usize = 256 * 1024;

/// How far the connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Handshake,
    Open,
    /// Goodbye was said; the other side has not answered yet.
    Closing,
    Closed,
}

/// An encrypted connection: what the transport below tells, and what the program does.
pub(crate) struct Tls {
    pub(super) event_loop: EventLoop,
    pub(super) connection: RefCell<Connection>,
    pub(super) state: Cell<State>,
    /// The transport of the encrypted bytes.
    pub(super) below: RefCell<Option<Transport>>,
    /// The program's protocol.
    pub(super) above: RefCell<Option<Rc<dyn Protocol>>>,
    /// Whether the program knows its transport.
    connected: Cell<bool>,
    waiter: RefCell<Option<Future<()>>>,
    timer: RefCell<Option<TimerHandle>>,
    timeouts: (f64, f64),
    pub(super) reading_paused: Cell<bool>,
    /// What came while the program was paused.
    waiting: RefCell<Vec<u8>>,
    /// What ended the connection, other than the connection itself.
    failure: RefCell<Option<Exception>>,
}

impl Tls {
    pub(crate) fn new(
        event_loop: &EventLoop,
        side: &Side,
        above: Rc<dyn Protocol>,
        waiter: Future<()>,
    ) -> Result<Rc<Self>> {
        Ok(Rc::new(Self {
            event_loop: event_loop.clone(),
            connection: RefCell::new(side.connection()?),
            state: Cell::new(State::Handshake),
            below: RefCell::default(),
            above: RefCell::new(Some(above)),
            connected: Cell::new(false),
            waiter: RefCell::new(Some(waiter)),
            timer: RefCell::default(),
            timeouts: (side.handshake_timeout, side.shutdown_timeout),
            reading_paused: Cell::new(false),
            waiting: RefCell::default(),
            failure: RefCell::default(),
        }))
    }

    /// The transport for the program.
    pub(crate) fn transport(self: &Rc<Self>) -> Transport {
        Transport(self.clone())
    }

    /// Has the program's protocol keep the connection that it has already: for `start_tls`.
    pub(crate) fn is_connected_already(&self) {
        self.connected.set(true);
    }

    pub(super) fn below(&self) -> Option<Transport> {
        self.below.borrow().clone()
    }

    pub(super) fn above(&self) -> Option<Rc<dyn Protocol>> {
        self.above.borrow().clone()
    }

    /// Begins the handshake over `below`.
    pub(crate) fn begin(self: &Rc<Self>, below: &Transport) -> Result<()> {
        *self.below.borrow_mut() = Some(below.clone());
        let this = self.clone();
        let late = move || this.handshake_is_late();
        self.start_timer(self.timeouts.0, late)?;
        self.flush()
    }

    fn start_timer(&self, delay: f64, late: impl FnOnce() + 'static) -> Result<()> {
        let timer = self.event_loop.call_later(delay, late)?;
        if let Some(old) = self.timer.replace(Some(timer)) {
            old.cancel();
        }
        Ok(())
    }

    pub(super) fn stop_timer(&self) {
        if let Some(timer) = self.timer.take() {
            timer.cancel();
        }
    }

    fn handshake_is_late(self: &Rc<Self>) {
        if self.state.get() == State::Handshake {
            let text = format!(
                "SSL handshake is taking longer than {:?} seconds: aborting the connection",
                self.timeouts.0
            );
            let error = std::io::Error::new(ErrorKind::ConnectionAborted, text);
            self.fail(os_error(error));
        }
    }

    /// Sends what is encrypted to the transport below.
    pub(super) fn flush(&self) -> Result<()> {
        let mut bytes = Vec::new();
        let mut connection = self.connection.borrow_mut();
        while connection.wants_write() {
            connection.write_tls(&mut bytes).map_err(os_error)?;
        }
        drop(connection);
        match self
            .below()
            .filter(|below| !bytes.is_empty() && !below.is_closing())
        {
            Some(below) => below.write(bytes),
            None => Ok(()),
        }
    }

    /// Decrypts `data`, and gives it to the program; what is left when that pauses waits.
    fn receive(self: &Rc<Self>, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() && self.state.get() != State::Closed {
            if self.holds_back() {
                self.waiting.borrow_mut().extend_from_slice(data);
                break;
            }
            let mut connection = self.connection.borrow_mut();
            connection.read_tls(&mut data).map_err(os_error)?;
            let processed = connection.process_new_packets();
            drop(connection);
            // What is to be said of an error is in there too.
            self.flush()?;
            processed.map_err(ssl_error)?;
            self.advance()?;
        }
        Ok(())
    }

    /// Whether the program has paused, and is not about to end.
    fn holds_back(&self) -> bool {
        self.reading_paused.get() && self.state.get() == State::Open
    }

    /// Goes on with what waited for the program.
    pub(super) fn catch_up(self: &Rc<Self>) -> Result<()> {
        self.deliver()?;
        let waiting = self.waiting.take();
        self.receive(&waiting)
    }

    fn advance(self: &Rc<Self>) -> Result<()> {
        if self.state.get() == State::Handshake && !self.connection.borrow().is_handshaking() {
            self.handshake_is_done()?;
        }
        self.deliver()
    }

    fn handshake_is_done(self: &Rc<Self>) -> Result<()> {
        self.stop_timer();
        self.state.set(State::Open);
        if !self.connected.replace(true)
            && let Some(above) = self.above()
        {
            let transport = self.transport();
            invoke(|| above.connection_made(&transport))?;
        }
        let waiter = self.waiter.take();
        if let Some(waiter) = waiter {
            release(&waiter);
        }
        Ok(())
    }

    /// Gives the program what is decrypted, unless it has paused.
    pub(super) fn deliver(self: &Rc<Self>) -> Result<()> {
        while matches!(self.state.get(), State::Open | State::Closing) {
            if self.holds_back() {
                return Ok(());
            }
            let mut buffer = self.event_loop.take_read_buffer(MAX_SIZE);
            let read = self.connection.borrow_mut().reader().read(&mut buffer);
            let delivered = match read {
                // After its own goodbye the program hears no more.
                Ok(1..) if self.state.get() == State::Closing => Ok(true),
                Ok(count @ 1..) => self.give(&buffer[..count]).map(|()| true),
                Ok(0) => self.other_side_is_done().map(|()| false),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
                Err(error) => Err(os_error(error)),
            };
            self.event_loop.return_read_buffer(buffer);
            if !delivered? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn give(&self, data: &[u8]) -> Result<()> {
        let Some(above) = self.above() else {
            return Ok(());
        };
        let Some(buffered) = above.as_buffered() else {
            return invoke(|| above.data_received(data));
        };
        let mut rest = data;
        while !rest.is_empty() {
            let mut count = 0;
            invoke(|| {
                buffered.get_buffer(Some(rest.len()), &mut |buffer| {
                    count = buffer.len().min(rest.len());
                    buffer[..count].copy_from_slice(&rest[..count]);
                })
            })?;
            if count == 0 {
                let empty = crate::RuntimeError::new("get_buffer() returned an empty buffer");
                return Err(empty.into());
            }
            invoke(|| buffered.buffer_updated(count))?;
            rest = &rest[count..];
        }
        Ok(())
    }

    /// The other side has said goodbye, or is gone.
    fn other_side_is_done(self: &Rc<Self>) -> Result<()> {
        if self.state.get() == State::Open {
            if let Some(above) = self.above() {
                // Half of an encrypted connection cannot stay open.
                invoke(|| above.eof_received())?;
            }
            self.say_goodbye()?;
        }
        self.finish();
        Ok(())
    }

    pub(super) fn say_goodbye(self: &Rc<Self>) -> Result<()> {
        self.state.set(State::Closing);
        self.connection.borrow_mut().send_close_notify();
        self.flush()?;
        let this = self.clone();
        let late = move || {
            if let Some(below) = this.below() {
                below.abort();
            }
        };
        self.start_timer(self.timeouts.1, late)
    }

    /// Closes the transport below when what waits is written.
    fn finish(&self) {
        self.stop_timer();
        self.state.set(State::Closed);
        if let Some(below) = self.below() {
            below.close();
        }
    }

    /// Ends the connection for an error of encryption or of the program.
    pub(super) fn fail(self: &Rc<Self>, exception: Exception) {
        self.stop_timer();
        let waiter = self.waiter.take();
        match waiter {
            Some(waiter) if !waiter.done() => {
                // It is not done.
                let _ = waiter.set_exception(exception.clone());
            }
            _ if exception.is_exit() => self.event_loop.raise(exception.clone()),
            _ if exception.is::<std::io::Error>() => {}
            _ => {
                let context = ExceptionContext::new("Fatal error on SSL protocol");
                let context = context.with_exception(exception.clone());
                self.event_loop.call_exception_handler(context);
            }
        }
        self.state.set(State::Closed);
        *self.failure.borrow_mut() = Some(exception);
        if let Some(below) = self.below() {
            // What is to be said of the error is written already, or lost.
            below.abort();
        }
    }
}

/// What the transport below calls.
pub(crate) struct Below(pub(crate) Rc<Tls>);

impl Protocol for Below {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        self.0.begin(transport)
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        if let Err(exception) = self.0.receive(data) {
            self.0.fail(exception);
        }
        Ok(())
    }

    fn eof_received(&self) -> Result<bool> {
        match self.0.state.get() {
            State::Handshake => {
                let reset = std::io::Error::from(ErrorKind::ConnectionReset);
                self.0.fail(os_error(reset));
            }
            State::Open | State::Closing => {
                if let Err(exception) = self.0.other_side_is_done() {
                    self.0.fail(exception);
                }
            }
            State::Closed => {}
        }
        Ok(false)
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let tls = &self.0;
        let failure = tls.failure.take();
        let exc = exc.or(failure.as_ref());
        tls.stop_timer();
        tls.state.set(State::Closed);
        let waiter = tls.waiter.take();
        if let Some(waiter) = waiter.filter(|waiter| !waiter.done()) {
            let reset = || os_error(std::io::Error::from(ErrorKind::ConnectionReset));
            // It is not done.
            let _ = waiter.set_exception(exc.cloned().unwrap_or_else(reset));
        }
        let above = tls.above.take();
        if let Some(above) = above.filter(|_| tls.connected.get()) {
            let exc = exc.cloned();
            let lost = move || above.connection_lost(exc.as_ref());
            tls.event_loop.call_soon(lost)?;
        }
        let below = tls.below.take();
        drop(below);
        Ok(())
    }

    fn pause_writing(&self) -> Result<()> {
        self.0.above().map_or(Ok(()), |above| above.pause_writing())
    }

    fn resume_writing(&self) -> Result<()> {
        self.0
            .above()
            .map_or(Ok(()), |above| above.resume_writing())
    }
}
