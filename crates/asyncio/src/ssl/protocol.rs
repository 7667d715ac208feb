//! The protocol between a connection and its program that encrypts: CPython's `SSLProtocol`.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::rc::Rc;

use rustls::Connection;

use super::greeting::Greeting;
use super::outgoing::Outgoing;
use super::start::Side;
use crate::base_events::EventLoop;
use crate::events::TimerHandle;
use crate::exception::{Exception, Result};
use crate::futures::Future;
use crate::handler::ExceptionContext;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::transports::{Abandon, Flow, Registration, Transport, invoke};
use crate::wait::release;

/// How much may wait to be sent before the program is asked to pause.
const HIGH_WATER: usize = 512 * 1024;

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
    /// What the connection is made of, where that depends on the other side.
    pub(super) greeting: RefCell<Option<Greeting>>,
    pub(super) state: Cell<State>,
    /// The transport of the encrypted bytes.
    pub(super) below: RefCell<Option<Transport>>,
    /// The program's protocol.
    pub(super) above: RefCell<Option<Rc<dyn Protocol>>>,
    /// Whether the program knows its transport.
    connected: Cell<bool>,
    pub(super) waiter: RefCell<Option<Future<()>>>,
    pub(super) timer: RefCell<Option<TimerHandle>>,
    pub(super) handshake_timeout: f64,
    pub(super) shutdown_timeout: f64,
    pub(super) reading_paused: Cell<bool>,
    /// What is decrypted and not given to the program yet.
    pub(super) incoming: RefCell<Vec<u8>>,
    /// Whether nothing will come any more.
    pub(super) other_side_done: Cell<bool>,
    /// Whether the transport below has too much to write.
    pub(super) writing_paused: Cell<bool>,
    pub(super) outgoing: RefCell<Outgoing>,
    pub(super) flow: Flow,
    /// What ended the connection, other than the connection itself.
    pub(super) failure: RefCell<Option<Exception>>,
    registration: Registration,
}

impl Tls {
    pub(crate) fn new(
        event_loop: &EventLoop,
        side: &Side,
        above: Rc<dyn Protocol>,
        waiter: Future<()>,
    ) -> Result<Rc<Self>> {
        let this = Rc::new(Self {
            event_loop: event_loop.clone(),
            connection: RefCell::new(side.connection()?),
            greeting: RefCell::new(side.greeting()),
            state: Cell::new(State::Handshake),
            below: RefCell::default(),
            above: RefCell::new(Some(above)),
            connected: Cell::new(false),
            waiter: RefCell::new(Some(waiter)),
            timer: RefCell::default(),
            handshake_timeout: side.handshake_timeout,
            shutdown_timeout: side.shutdown_timeout,
            reading_paused: Cell::new(false),
            incoming: RefCell::default(),
            other_side_done: Cell::new(false),
            writing_paused: Cell::new(false),
            outgoing: RefCell::default(),
            flow: Flow::with_high(HIGH_WATER),
            failure: RefCell::default(),
            registration: Registration::new(event_loop),
        });
        this.registration.register(&this);
        Ok(this)
    }

    /// The transport for the program.
    pub(crate) fn transport(self: &Rc<Self>) -> Transport {
        Transport(self.clone())
    }

    /// Has the program's protocol keep the connection that it has already: for `start_tls`.
    pub(super) fn is_connected_already(&self) {
        self.connected.set(true);
    }

    pub(super) fn below(&self) -> Option<Transport> {
        self.below.borrow().clone()
    }

    pub(super) fn above(&self) -> Option<Rc<dyn Protocol>> {
        self.above.borrow().clone()
    }

    /// Begins the handshake over `below`.
    pub(super) fn begin(self: &Rc<Self>, below: &Transport) -> Result<()> {
        *self.below.borrow_mut() = Some(below.clone());
        let this = self.clone();
        self.start_timer(self.handshake_timeout, move || this.handshake_is_late())?;
        self.flush()
    }

    pub(super) fn start_timer(&self, delay: f64, late: impl FnOnce() + 'static) -> Result<()> {
        let timer = self.event_loop.call_later(delay, late)?;
        if let Some(old) = self.timer.replace(Some(timer)) {
            old.cancel();
        }
        Ok(())
    }

    pub(super) fn stop_timer(&self) {
        let timer = self.timer.take();
        if let Some(timer) = timer {
            timer.cancel();
        }
    }

    fn handshake_is_late(self: &Rc<Self>) {
        if self.state.get() == State::Handshake {
            let text = format!(
                "SSL handshake is taking longer than {:?} seconds: aborting the connection",
                self.handshake_timeout
            );
            let error = std::io::Error::new(ErrorKind::ConnectionAborted, text);
            self.fail(os_error(error));
        }
    }

    /// Opens the connection if both sides know each other.
    pub(super) fn advance(self: &Rc<Self>) {
        if self.state.get() != State::Handshake || self.connection.borrow().is_handshaking() {
            return;
        }
        self.stop_timer();
        self.state.set(State::Open);
        if !self.connected.replace(true)
            && let Some(above) = self.above()
        {
            let transport = self.transport();
            if let Err(exception) = invoke(|| above.connection_made(&transport)) {
                // Whoever waits for the connection may not be the one to tell.
                self.report(
                    "Fatal error: protocol.connection_made() call failed.",
                    &exception,
                );
                return self.fail(exception);
            }
        }
        let waiter = self.waiter.take();
        if let Some(waiter) = waiter {
            release(&waiter);
        }
    }

    /// Tells the loop's handler of an error of the program; those of the system are nobody's fault.
    pub(super) fn report(&self, message: &str, exception: &Exception) {
        if exception.is_exit() {
            self.event_loop.raise(exception.clone());
        } else if !exception.is::<std::io::Error>() {
            let context = ExceptionContext::new(message).with_exception(exception.clone());
            self.event_loop.report(context);
        }
    }
}

impl Abandon for Tls {
    fn abandon(&self) {
        self.state.set(State::Closed);
        let held = (self.above.take(), self.below.take(), self.timer.take());
        drop(held);
    }
}

/// What the transport below calls.
pub(crate) struct Below(pub(crate) Rc<Tls>);

impl Protocol for Below {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        self.0.begin(transport)
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.0.or_fail(self.0.receive(data));
        Ok(())
    }

    fn eof_received(&self) -> Result<bool> {
        let tls = &self.0;
        match tls.state.get() {
            State::Handshake => {
                let reset = std::io::Error::from(ErrorKind::ConnectionReset);
                tls.fail(os_error(reset));
            }
            State::Open | State::Closing => {
                tls.other_side_done.set(true);
                tls.or_fail(tls.deliver());
            }
            State::Closed => {}
        }
        // What is decrypted may wait for the program to go on, which closes the connection then.
        Ok(tls.state.get() == State::Open)
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
        let held = (tls.below.take(), tls.outgoing.take(), tls.incoming.take());
        drop(held);
        Ok(())
    }

    fn pause_writing(&self) -> Result<()> {
        self.0.writing_paused.set(true);
        Ok(())
    }

    fn resume_writing(&self) -> Result<()> {
        let tls = &self.0;
        if tls.writing_paused.replace(false) {
            tls.or_fail(tls.flush());
        } else if let Some(above) = tls.above() {
            // It paused before the connection was encrypted.
            above.resume_writing()?;
        }
        Ok(())
    }
}
