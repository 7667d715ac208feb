//! `asyncio.trsock`: what a program may see of a transport's socket.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use hilos_core::time::Timeout;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use socket2::{Protocol, Socket};

use crate::address::Address;
use crate::exception::Result;
use crate::exceptions::ValueError;
use crate::os_error::os_error;
use crate::repr::debug_like_display;
use crate::socket_repr::repr_as;

/// The socket of a transport or server, to be asked but not to be read from or written to.
///
/// Clones are the same socket, which the transport closes.
///
/// # Differences from Python
/// - A closed socket does not know what it was: its family is an error.
///
/// Mirrors `asyncio.trsock.TransportSocket`, which CPython does not document.
#[derive(Clone)]
pub struct TransportSocket(Rc<RefCell<Option<Socket>>>);

impl TransportSocket {
    pub(crate) fn new(socket: Socket) -> Self {
        Self(Rc::new(RefCell::new(Some(socket))))
    }

    pub(crate) fn close(&self) {
        let socket = self.0.take();
        drop(socket);
    }

    /// The socket, if it is open.
    pub(crate) fn get(&self) -> io::Result<Ref<'_, Socket>> {
        let closed = || io::Error::from_raw_os_error(nix::libc::EBADF);
        Ref::filter_map(self.0.borrow(), Option::as_ref).map_err(|_| closed())
    }

    /// The number of the descriptor, -1 if the socket is closed.
    pub fn fileno(&self) -> i32 {
        self.get().map_or(-1, |socket| socket.as_raw_fd())
    }

    /// The socket's own address.
    ///
    /// # Errors
    /// `OSError` if the socket is closed.
    pub fn getsockname(&self) -> Result<Address> {
        let address = self.get().and_then(|socket| socket.local_addr());
        Ok(Address::new(&address.map_err(os_error)?))
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    /// `OSError` if the socket is closed or not connected.
    pub fn getpeername(&self) -> Result<Address> {
        let address = self.get().and_then(|socket| socket.peer_addr());
        Ok(Address::new(&address.map_err(os_error)?))
    }

    /// The system's number of the family, as `libc::AF_INET`.
    ///
    /// # Errors
    /// `OSError` if the socket is closed.
    pub fn family(&self) -> Result<i32> {
        self.ask(|socket| socket.domain().map(i32::from))
    }

    /// The system's number of the kind, as `libc::SOCK_STREAM`.
    ///
    /// # Errors
    /// As [`family`](Self::family).
    pub fn r#type(&self) -> Result<i32> {
        self.ask(|socket| socket.r#type().map(i32::from))
    }

    /// The system's number of the protocol, as `libc::IPPROTO_TCP`.
    ///
    /// # Errors
    /// As [`family`](Self::family).
    pub fn proto(&self) -> Result<i32> {
        let number = |protocol: Option<Protocol>| protocol.map_or(0, i32::from);
        self.ask(|socket| socket.protocol().map(number))
    }

    fn ask<T>(&self, question: impl FnOnce(&Socket) -> io::Result<T>) -> Result<T> {
        let answer = self.get().and_then(|socket| question(&socket));
        answer.map_err(os_error)
    }

    /// A second descriptor of the socket, as any type that can be made of one.
    ///
    /// # Errors
    /// As [`family`](Self::family); also if the program has too many descriptors.
    pub fn dup<S: From<OwnedFd>>(&self) -> Result<S> {
        self.ask(Socket::try_clone)
            .map(|socket| OwnedFd::from(socket).into())
    }

    /// Whether programs that this one becomes have the descriptor too.
    ///
    /// # Errors
    /// As [`family`](Self::family).
    pub fn get_inheritable(&self) -> Result<bool> {
        let flags = self.ask(|socket| Ok(fcntl(socket, FcntlArg::F_GETFD)?))?;
        Ok(!FdFlag::from_bits_retain(flags).contains(FdFlag::FD_CLOEXEC))
    }

    /// Ends one direction of the connection, or both, whatever the transport has to write.
    ///
    /// # Errors
    /// As [`family`](Self::family); also if the socket is not connected.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        self.ask(|socket| socket.shutdown(how))
    }

    /// Whether calls wait: 0 seconds, always.
    pub fn gettimeout(&self) -> f64 {
        0.0
    }

    /// Does nothing for 0.
    ///
    /// # Errors
    /// [`ValueError`] for anything else: a transport's socket does not wait.
    pub fn settimeout<T: Into<Timeout>>(&self, value: T) -> Result<()> {
        match value.into().seconds() {
            Some(0.0) => Ok(()),
            _ => {
                let message = "settimeout(): only 0 timeout is allowed on transport sockets";
                Err(ValueError::new(message).into())
            }
        }
    }

    /// Does nothing for `false`.
    ///
    /// # Errors
    /// [`ValueError`] for `true`: a transport's socket does not wait.
    pub fn setblocking(&self, flag: bool) -> Result<()> {
        match flag {
            false => Ok(()),
            true => {
                let message = "setblocking(): transport sockets cannot be blocking";
                Err(ValueError::new(message).into())
            }
        }
    }

    /// Calls `f` with the descriptor: for `setsockopt` and its like, by any crate.
    ///
    /// # Errors
    /// `OSError` if the socket is closed.
    pub fn with_fd<R, F: FnOnce(BorrowedFd<'_>) -> R>(&self, f: F) -> Result<R> {
        let socket = self.get().map_err(os_error)?;
        Ok(f(socket.as_fd()))
    }
}

impl fmt::Display for TransportSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = "asyncio.TransportSocket";
        match self.get() {
            Ok(socket) => f.write_str(&repr_as(name, &socket)),
            Err(_) => write!(f, "<{name} fd=-1>"),
        }
    }
}

debug_like_display!(TransportSocket);
