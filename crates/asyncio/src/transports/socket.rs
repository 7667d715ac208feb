//! The transport over a connected socket: CPython's `_SelectorSocketTransport`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::rc::Rc;

use socket2::Socket;

use super::{Abandon, Base, Buffer, ExtraInfo, StreamTransport, Transport, invoke};
use crate::address::Address;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::RuntimeError;
use crate::futures::Future;
use crate::os_error::os_error;
use crate::protocols::{BufferedProtocol, Protocol};
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

    fn start_reading(self: Rc<Self>) -> Result<()> {
        if !self.is_reading() {
            return Ok(());
        }
        let transport = self.clone();
        let socket = self.socket.get().map_err(os_error)?;
        self.base
            .event_loop
            .add_reader(&*socket, move || transport.clone().read_ready())
    }

    fn stop_reading(&self) {
        if let Ok(socket) = self.socket.get() {
            self.base.event_loop.remove_reader(&*socket);
        }
    }

    fn start_writing(self: &Rc<Self>) -> Result<()> {
        let transport = self.clone();
        let socket = self.socket.get().map_err(os_error)?;
        self.base
            .event_loop
            .add_writer(&*socket, move || transport.clone().write_ready())
    }

    fn stop_writing(&self) {
        if let Ok(socket) = self.socket.get() {
            self.base.event_loop.remove_writer(&*socket);
        }
    }

    fn read_ready(self: Rc<Self>) -> Result<()> {
        let Some(protocol) = self.base.protocol().filter(|_| !self.base.is_lost()) else {
            return Ok(());
        };
        match protocol.as_buffered() {
            Some(buffered) => self.read_into(buffered, &*protocol),
            None => self.read(&*protocol),
        }
        Ok(())
    }

    fn read(self: &Rc<Self>, protocol: &dyn Protocol) {
        let mut buffer = self.base.event_loop.take_read_buffer(MAX_SIZE);
        match self.receive(&mut buffer) {
            Ok(0) => self.on_eof(protocol),
            Ok(count) => {
                if let Err(exception) = invoke(|| protocol.data_received(&buffer[..count])) {
                    let message = "Fatal error: protocol.data_received() call failed.";
                    self.fatal_error(exception, message);
                }
            }
            Err(error) => self.on_read_error(error),
        }
        self.base.event_loop.return_read_buffer(buffer);
    }

    fn read_into(self: &Rc<Self>, buffered: &dyn BufferedProtocol, protocol: &dyn Protocol) {
        let mut received = None;
        let mut fill = |buffer: &mut [u8]| {
            received = Some(match buffer.is_empty() {
                true => Err(None),
                false => self.receive(buffer).map_err(Some),
            });
        };
        let lent = invoke(|| buffered.get_buffer(None, &mut fill));
        let message = "Fatal error: protocol.get_buffer() call failed.";
        match (lent, received) {
            (Err(exception), _) => self.fatal_error(exception, message),
            (Ok(()), None | Some(Err(None))) => {
                let empty = RuntimeError::new("get_buffer() returned an empty buffer");
                self.fatal_error(empty.into(), message);
            }
            (Ok(()), Some(Err(Some(error)))) => self.on_read_error(error),
            (Ok(()), Some(Ok(0))) => self.on_eof(protocol),
            (Ok(()), Some(Ok(count))) => {
                if let Err(exception) = invoke(|| buffered.buffer_updated(count)) {
                    let message = "Fatal error: protocol.buffer_updated() call failed.";
                    self.fatal_error(exception, message);
                }
            }
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.socket.get()?).read(buffer)
    }

    fn on_read_error(self: &Rc<Self>, error: io::Error) {
        if !is_not_ready(&error) {
            self.fatal_error(os_error(error), "Fatal read error on socket transport");
        }
    }

    fn on_eof(self: &Rc<Self>, protocol: &dyn Protocol) {
        match invoke(|| protocol.eof_received()) {
            // The socket would say so again and again.
            Ok(true) => self.stop_reading(),
            Ok(false) => self.clone().close(),
            Err(exception) => {
                let message = "Fatal error: protocol.eof_received() call failed.";
                self.fatal_error(exception, message);
            }
        }
    }

    fn check_writable(&self) -> Result<()> {
        match self.eof.get() {
            true => Err(RuntimeError::new("Cannot call write() after write_eof()").into()),
            false => Ok(()),
        }
    }

    /// Whether the connection is lost, and what is written to it with it.
    fn swallows(&self) -> bool {
        if !self.base.is_lost() {
            return false;
        }
        if self.base.conn_lost.get() >= LOST_WRITES {
            eprintln!("socket.send() raised exception.");
        }
        self.base.lose();
        true
    }

    /// Writes what it can of `data`, and returns the rest; `None` if the connection is lost by it.
    fn send<'d>(self: &Rc<Self>, data: &'d [u8]) -> Option<&'d [u8]> {
        match self
            .socket
            .get()
            .and_then(|socket| socket.send_with_flags(data, NO_SIGNAL))
        {
            Ok(count) => Some(&data[count..]),
            Err(error) if is_not_ready(&error) => Some(data),
            Err(error) => {
                self.fatal_error(os_error(error), "Fatal write error on socket transport");
                None
            }
        }
    }

    fn write_ready(self: Rc<Self>) -> Result<()> {
        if self.base.is_lost() {
            return Ok(());
        }
        match self.flush() {
            Ok(()) => self.written(),
            Err(error) => {
                self.stop_writing();
                self.buffer.borrow_mut().clear();
                self.fatal_error(os_error(error), "Fatal write error on socket transport");
                Ok(())
            }
        }
    }

    /// Writes what the socket takes now.
    fn flush(&self) -> io::Result<()> {
        let mut buffer = self.buffer.borrow_mut();
        let socket = self.socket.get()?;
        let written =
            buffer.with_slices(|slices| socket.send_vectored_with_flags(slices, NO_SIGNAL));
        match written {
            Ok(count) => buffer.advance(count),
            Err(error) if is_not_ready(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn written(self: Rc<Self>) -> Result<()> {
        self.base.maybe_resume(self.get_write_buffer_size());
        if !self.buffer.borrow().is_empty() {
            return Ok(());
        }
        self.stop_writing();
        if self.base.closing.get() {
            return self.call_connection_lost(None);
        }
        if self.eof.get() {
            self.shut_down();
        }
        Ok(())
    }

    /// The other side may be gone already.
    fn shut_down(&self) {
        if let Ok(socket) = self.socket.get() {
            let _ = socket.shutdown(Shutdown::Write);
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
        result
    }
}

impl Abandon for SocketTransport {
    fn abandon(&self) {
        self.base.forget_protocol();
        self.socket.close();
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
        self.check_writable()?;
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
        self.base.maybe_pause(self.get_write_buffer_size());
        Ok(())
    }

    fn writelines(self: Rc<Self>, lines: &[&[u8]]) -> Result<()> {
        self.check_writable()?;
        if lines.is_empty() || self.swallows() {
            return Ok(());
        }
        for line in lines {
            self.buffer.borrow_mut().push(line);
        }
        self.clone().write_ready()?;
        if !self.buffer.borrow().is_empty() {
            self.start_writing()?;
            self.base.maybe_pause(self.get_write_buffer_size());
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

    fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.base.flow.limits()
    }

    fn set_write_buffer_limits(
        self: Rc<Self>,
        high: Option<usize>,
        low: Option<usize>,
    ) -> Result<()> {
        self.base.flow.set_limits(high, low)?;
        self.base.maybe_pause(self.get_write_buffer_size());
        Ok(())
    }

    fn get_protocol(&self) -> Option<Rc<dyn Protocol>> {
        self.base.protocol()
    }

    fn set_protocol(self: Rc<Self>, protocol: Rc<dyn Protocol>) {
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

    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<_SelectorSocketTransport")?;
        match (self.socket.fileno(), self.base.closing.get()) {
            (-1, _) => f.write_str(" closed")?,
            (_, true) => f.write_str(" closing")?,
            _ => {}
        }
        write!(f, " fd={}>", self.socket.fileno())
    }
}

/// A connection that is lost is an error, not a signal that ends the process.
const NO_SIGNAL: i32 = nix::libc::MSG_NOSIGNAL;

/// Whether the system will have it later.
pub(crate) fn is_not_ready(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
