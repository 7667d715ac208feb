//! The transport over a connected socket: CPython's `_SelectorSocketTransport`.

mod reading;
mod sending;
mod writing;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, ErrorKind};
use std::rc::Rc;

use socket2::Socket;

use sending::Sending;

use super::{Abandon, Base, Buffer, ExtraInfo, Flow, SendfileMode, StreamTransport, Transport};
use crate::address::Address;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::futures::Future;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::server::Server;
use crate::trsock::TransportSocket;
use crate::wait::release;

/// How much is read at once.
const MAX_SIZE: usize = 256 * 1024;

/// After so many writes to a lost connection, each is told to the user.
const LOST_WRITES: u32 = 5;

/// A socket that is connected, and what is known of it.
pub(crate) struct Opened {
    pub(crate) socket: Socket,
    pub(crate) peername: Option<Address>,
    pub(crate) server: Option<Server>,
}

impl From<Socket> for Opened {
    fn from(socket: Socket) -> Self {
        Self {
            socket,
            peername: None,
            server: None,
        }
    }
}

pub(crate) struct SocketTransport {
    base: Base<dyn Protocol>,
    socket: TransportSocket,
    sockname: Option<Address>,
    peername: Option<Address>,
    buffer: RefCell<Buffer>,
    eof: Cell<bool>,
    paused: Cell<bool>,
    /// The file that is being sent, if one is.
    sending: RefCell<Option<Sending>>,
    /// Whether the protocol only feeds a stream's reader.
    only_feeds: Cell<bool>,
}

impl SocketTransport {
    /// Starts the transport: the protocol is told soon, then it reads, then `waiter` is done.
    pub(crate) fn start(
        event_loop: &EventLoop,
        opened: Opened,
        protocol: Rc<dyn Protocol>,
        waiter: Option<Future<()>>,
    ) -> Result<Rc<Self>> {
        let this = Self::new(event_loop, opened, protocol)?;
        let transport = this.clone();
        event_loop.call_soon(move || transport.connection_made())?;
        let transport = this.clone();
        event_loop.call_soon(move || transport.start_reading())?;
        if let Some(waiter) = waiter {
            event_loop.call_soon(move || release(&waiter))?;
        }
        Ok(this)
    }

    fn new(event_loop: &EventLoop, opened: Opened, protocol: Rc<dyn Protocol>) -> Result<Rc<Self>> {
        opened.socket.set_nonblocking(true).map_err(os_error)?;
        // It fails with Unix sockets, which delay nothing.
        let _ = opened.socket.set_tcp_nodelay(true);
        let socket = TransportSocket::new(opened.socket);
        let base = Base::new(event_loop, protocol);
        let this = Rc::new(Self {
            base,
            sockname: socket.getsockname().ok(),
            peername: opened.peername.or_else(|| socket.getpeername().ok()),
            socket,
            buffer: RefCell::default(),
            eof: Cell::new(false),
            paused: Cell::new(false),
            sending: RefCell::default(),
            only_feeds: Cell::new(false),
        });
        this.base.registration.register(&this);
        if let Some(server) = opened.server {
            *this.base.attached.borrow_mut() = Some(server.attach(&Transport(this.clone())));
        }
        Ok(this)
    }

    fn connection_made(self: Rc<Self>) -> Result<()> {
        let transport = Transport(self.clone());
        match self.base.protocol() {
            Some(protocol) => protocol.connection_made(&transport),
            None => Ok(()),
        }
    }

    fn fatal_error(self: &Rc<Self>, exception: Exception, message: &str) {
        self.base.report_fatal(message, &exception);
        self.force_close(Some(exception));
    }

    pub(crate) fn force_close(self: &Rc<Self>, exception: Option<Exception>) {
        if self.base.is_lost() {
            return;
        }
        if !self.buffer.borrow().is_empty() {
            self.buffer.borrow_mut().clear();
            self.stop_writing();
        }
        if !self.base.closing.replace(true) {
            self.stop_reading();
        }
        self.lose_soon(exception);
    }

    fn lose_soon(self: &Rc<Self>, exception: Option<Exception>) {
        self.base.lose();
        let transport = self.clone();
        let lost = move || transport.call_connection_lost(exception.as_ref());
        // Only a closed loop refuses, and calls nobody any more.
        let _ = self.base.event_loop.call_soon(lost);
    }

    fn call_connection_lost(&self, exception: Option<&Exception>) -> Result<()> {
        let result = self.base.call_connection_lost(exception);
        self.socket.close();
        self.sending_lost(exception);
        result
    }
}

impl Abandon for SocketTransport {
    fn abandon(&self) {
        self.base.forget_protocol();
        self.socket.close();
    }

    fn descriptor(&self) -> Option<i32> {
        Some(self.socket.fileno())
    }

    fn claim(&self) -> Option<String> {
        (!self.base.closing.get()).then(|| self.to_string())
    }
}

impl fmt::Display for SocketTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (is_closed, bufsize) = (self.socket.fileno() < 0, self.buffer.borrow().len());
        let name = "_SelectorSocketTransport";
        self.base.fmt_socket(f, name, is_closed, bufsize)
    }
}

impl StreamTransport for SocketTransport {
    fn close(self: Rc<Self>) {
        if self.base.closing.replace(true) {
            return;
        }
        self.stop_reading();
        if self.buffer.borrow().is_empty() {
            self.stop_writing();
            self.lose_soon(None);
        }
    }

    fn abort(self: Rc<Self>) {
        self.force_close(None);
    }

    fn is_closing(&self) -> bool {
        self.base.closing.get()
    }

    fn write(self: Rc<Self>, data: &[u8]) -> Result<()> {
        self.check_writable("write")?;
        if data.is_empty() || self.swallows() {
            return Ok(());
        }
        let mut rest = data;
        if self.buffer.borrow().is_empty() {
            match self.send(data) {
                None | Some([]) => return Ok(()),
                Some(left) => rest = left,
            }
            self.start_writing()?;
        }
        self.buffer.borrow_mut().push(rest);
        self.control_writing();
        Ok(())
    }

    fn writelines(self: Rc<Self>, lines: &[&[u8]]) -> Result<()> {
        self.check_writable("writelines")?;
        if lines.is_empty() || self.swallows() {
            return Ok(());
        }
        for line in lines {
            self.buffer.borrow_mut().push(line);
        }
        self.clone().write_ready()?;
        if !self.buffer.borrow().is_empty() {
            self.start_writing()?;
            self.control_writing();
        }
        Ok(())
    }

    fn write_eof(self: Rc<Self>) -> Result<()> {
        if self.base.closing.get() || self.eof.replace(true) {
            return Ok(());
        }
        if self.buffer.borrow().is_empty() {
            self.shut_down();
        }
        Ok(())
    }

    fn can_write_eof(&self) -> bool {
        true
    }

    fn pause_reading(self: Rc<Self>) {
        if self.is_reading() {
            self.paused.set(true);
            self.stop_reading();
        }
    }

    fn resume_reading(self: Rc<Self>) {
        if self.base.closing.get() || !self.paused.replace(false) {
            return;
        }
        if let Err(exception) = self.clone().start_reading() {
            self.fatal_error(exception, "Fatal read error on socket transport");
        }
    }

    fn is_reading(&self) -> bool {
        !self.base.closing.get() && !self.paused.get()
    }

    fn get_write_buffer_size(&self) -> usize {
        self.buffer.borrow().len()
    }

    fn flow(&self) -> &Flow {
        &self.base.flow
    }

    fn control_writing(&self) {
        self.base.maybe_pause(self.get_write_buffer_size());
    }

    fn only_feeds(&self) {
        self.only_feeds.set(true);
    }

    fn get_protocol(&self) -> Option<Rc<dyn Protocol>> {
        self.base.protocol()
    }

    fn set_protocol(self: Rc<Self>, protocol: Rc<dyn Protocol>) {
        self.only_feeds.set(false);
        self.base.set_protocol(protocol);
    }

    fn get_extra_info(&self, name: &str) -> Option<ExtraInfo> {
        match name {
            "socket" => Some(ExtraInfo::Socket(self.socket.clone())),
            "sockname" => self.sockname.clone().map(ExtraInfo::Address),
            "peername" => self.peername.clone().map(ExtraInfo::Address),
            _ => None,
        }
    }

    #[cfg(feature = "ssl")]
    fn is_start_tls_compatible(&self) -> bool {
        true
    }

    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn sendfile_mode(self: Rc<Self>) -> SendfileMode {
        SendfileMode::TryNative(self)
    }
}

/// A connection that is lost is an error, not a signal that ends the process.
const NO_SIGNAL: i32 = nix::libc::MSG_NOSIGNAL;

/// Whether the system will have it later.
pub(crate) fn is_not_ready(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
