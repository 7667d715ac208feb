//! `asyncio.trsock`: what a program may see of a transport's socket.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::rc::Rc;

use socket2::Socket;

use crate::address::Address;
use crate::exception::Result;
use crate::os_error::os_error;
use crate::repr::debug_like_display;

/// The socket of a transport or server, to be asked but not to be read from or written to.
///
/// Clones are the same socket, which the transport closes.
///
/// Mirrors `asyncio.trsock.TransportSocket`.
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
        write!(f, "<asyncio.TransportSocket fd={}", self.fileno())?;
        if let Ok(address) = self.getsockname() {
            write!(f, ", laddr={address}")?;
        }
        if let Ok(address) = self.getpeername() {
            write!(f, ", raddr={address}")?;
        }
        f.write_str(">")
    }
}

debug_like_display!(TransportSocket);
