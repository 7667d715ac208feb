//! The transport of datagrams: CPython's `_SelectorDatagramTransport`.

mod sending;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::AsRawFd;
use std::rc::Rc;

use nix::sys::socket::{SockaddrLike, SockaddrStorage, recvfrom};
use socket2::Socket;

use super::{Abandon, Base, ExtraInfo, invoke, is_not_ready};
use crate::address::Address;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::futures::Future;
use crate::os_error::os_error;
use crate::protocols::DatagramProtocol;
use crate::repr::debug_like_display;
use crate::selector::Interest;
use crate::trsock::TransportSocket;
use crate::wait::release;

/// The longest datagram that is received whole.
const MAX_SIZE: usize = 256 * 1024;

/// A socket that datagrams are sent from, and that gives what it receives to a
/// [`DatagramProtocol`].
///
/// A handle: clones are the same socket. Nothing blocks: what cannot be sent at once waits.
///
/// Mirrors [`asyncio.DatagramTransport`](https://docs.python.org/3.14/library/asyncio-protocol.html#asyncio.DatagramTransport).
#[derive(Clone)]
pub struct DatagramTransport(Rc<Inner>);

/// A datagram, and where it goes.
type Waiting = (Box<[u8]>, Option<Address>);

struct Inner {
    base: Base<dyn DatagramProtocol>,
    socket: TransportSocket,
    sockname: Option<Address>,
    peername: Option<Address>,
    /// Where all datagrams go.
    remote: Option<Address>,
    waiting: RefCell<VecDeque<Waiting>>,
    size: Cell<usize>,
}

impl DatagramTransport {
    /// Starts the transport: the protocol is told soon, then it receives, then `waiter` is done.
    pub(crate) fn start(
        event_loop: &EventLoop,
        socket: Socket,
        remote: Option<Address>,
        protocol: Rc<dyn DatagramProtocol>,
        waiter: Future<()>,
    ) -> Result<Self> {
        socket.set_nonblocking(true).map_err(os_error)?;
        let socket = TransportSocket::new(socket);
        let this = Self(Rc::new(Inner {
            base: Base::new(event_loop, protocol),
            sockname: socket.getsockname().ok(),
            peername: socket.getpeername().ok(),
            socket,
            remote,
            waiting: RefCell::default(),
            size: Cell::new(0),
        }));
        this.0.base.registration.register(&this.0);
        let transport = this.clone();
        event_loop.call_soon(move || transport.connection_made())?;
        let transport = this.clone();
        event_loop.call_soon(move || transport.start_reading())?;
        event_loop.call_soon(move || release(&waiter))?;
        Ok(this)
    }

    fn connection_made(&self) -> Result<()> {
        match self.0.base.protocol() {
            Some(protocol) => protocol.connection_made(self),
            None => Ok(()),
        }
    }

    fn start_reading(&self) -> Result<()> {
        if self.is_closing() {
            return Ok(());
        }
        let transport = self.clone();
        let socket = self.0.socket.get().map_err(os_error)?;
        self.0
            .base
            .event_loop
            .watch(&*socket, Interest::Read, move || transport.read_ready())
            .map(drop)
    }

    fn read_ready(&self) -> Result<()> {
        let base = &self.0.base;
        let Some(protocol) = base.protocol().filter(|_| !base.is_lost()) else {
            return Ok(());
        };
        let mut buffer = base.event_loop.take_read_buffer(MAX_SIZE);
        let result = match self.receive(&mut buffer) {
            Ok((count, from)) => invoke(|| protocol.datagram_received(&buffer[..count], &from)),
            Err(error) if is_not_ready(&error) => Ok(()),
            Err(error) => invoke(|| protocol.error_received(&os_error(error))),
        };
        base.event_loop.return_read_buffer(buffer);
        result
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Address)> {
        let socket = self.0.socket.get()?;
        let (count, from) = recvfrom::<SockaddrStorage>(socket.as_raw_fd(), buffer)?;
        let from = from.as_ref().and_then(address);
        Ok((count, from.unwrap_or(Address::Unix("".into()))))
    }

    fn stop_writing(&self) {
        if let Ok(socket) = self.0.socket.get() {
            self.0.base.event_loop.forget(&*socket, Interest::Write);
        }
    }

    fn stop_reading(&self) {
        if let Ok(socket) = self.0.socket.get() {
            self.0.base.event_loop.forget(&*socket, Interest::Read);
        }
    }

    fn fatal_error(&self, exception: Exception, message: &str) {
        self.0.base.report_fatal(message, &exception);
        self.force_close(Some(exception));
    }

    fn force_close(&self, exception: Option<Exception>) {
        if self.0.base.is_lost() {
            return;
        }
        self.0.waiting.borrow_mut().clear();
        self.0.size.set(0);
        self.stop_writing();
        self.stop_reading();
        self.0.base.closing.set(true);
        self.lose_soon(exception);
    }

    fn lose_soon(&self, exception: Option<Exception>) {
        self.0.base.lose();
        let transport = self.clone();
        let lost = move || transport.call_connection_lost(exception.as_ref());
        // Only a closed loop refuses, and calls nobody any more.
        let _ = self.0.base.event_loop.call_soon(lost);
    }

    fn call_connection_lost(&self, exception: Option<&Exception>) -> Result<()> {
        let result = self.0.base.call_connection_lost(exception);
        self.0.socket.close();
        result
    }

    /// Closes the socket when all that waits is sent; nothing is received from now on.
    ///
    /// The protocol's `connection_lost` is called then.
    pub fn close(&self) {
        if self.0.base.closing.replace(true) {
            return;
        }
        self.stop_reading();
        if self.0.waiting.borrow().is_empty() {
            self.stop_writing();
            self.lose_soon(None);
        }
    }

    /// Closes the socket at once; what waits to be sent is lost.
    pub fn abort(&self) {
        self.force_close(None);
    }

    /// Whether the socket is closed or is being closed.
    pub fn is_closing(&self) -> bool {
        self.0.base.closing.get()
    }

    /// How many bytes wait to be sent, with eight more for each datagram.
    pub fn get_write_buffer_size(&self) -> usize {
        self.0.size.get()
    }

    /// The low-water and the high-water mark, in bytes.
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.0.base.flow.limits()
    }

    /// Sets the water marks, in bytes: 64 KiB and a quarter of it where `None` is given for both.
    ///
    /// # Errors
    /// [`ValueError`](crate::ValueError) if `high` is below `low`.
    pub fn set_write_buffer_limits<H, L>(&self, high: H, low: L) -> Result<()>
    where
        H: Into<Option<usize>>,
        L: Into<Option<usize>>,
    {
        self.0.base.flow.set_limits(high.into(), low.into())?;
        self.0.base.maybe_pause(self.0.size.get());
        Ok(())
    }

    /// The protocol, until the socket is closed.
    pub fn get_protocol(&self) -> Option<Rc<dyn DatagramProtocol>> {
        self.0.base.protocol()
    }

    /// Gives what is received from now on to `protocol`.
    pub fn set_protocol(&self, protocol: Rc<dyn DatagramProtocol>) {
        self.0.base.set_protocol(protocol);
    }

    /// What is known under `name`: `"peername"`, `"sockname"`, `"socket"`.
    pub fn get_extra_info(&self, name: &str) -> Option<ExtraInfo> {
        match name {
            "socket" => Some(ExtraInfo::Socket(self.0.socket.clone())),
            "sockname" => self.0.sockname.clone().map(ExtraInfo::Address),
            "peername" => self.0.peername.clone().map(ExtraInfo::Address),
            _ => None,
        }
    }
}

impl Abandon for Inner {
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

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_closed = self.socket.fileno() < 0;
        let name = "_SelectorDatagramTransport";
        self.base.fmt_socket(f, name, is_closed, self.size.get())
    }
}

/// Who sent a datagram.
pub(crate) fn address(storage: &SockaddrStorage) -> Option<Address> {
    if let Some(address) = storage.as_sockaddr_in() {
        let address = std::net::SocketAddrV4::from(*address);
        return Some(Address::Inet(address.into()));
    }
    if let Some(address) = storage.as_sockaddr_in6() {
        let address = std::net::SocketAddrV6::from(*address);
        return Some(Address::Inet(address.into()));
    }
    let unix = storage.as_unix_addr().filter(|unix| unix.len() > 0)?;
    match unix.as_abstract() {
        Some(name) => Some(Address::Abstract(name.to_owned())),
        None => Some(Address::Unix(unix.path()?.to_owned())),
    }
}

impl fmt::Display for DatagramTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

debug_like_display!(DatagramTransport);
