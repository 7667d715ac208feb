//! The server's end of a connection.

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::linux::net::TcpStreamExt;
use std::time::Duration;

use hilos_core::time::Deadline;
use hilos_pickle::Object;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};

use crate::connection::credentials::Credentials;
use crate::connection::security::Security;
use crate::connection::{Address, Connection};
use crate::error::Error;
use crate::managers::exception::Exception;
use crate::managers::message::{self, Reply};

/// How long a client may take for the handshake.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a client, which over TCP is told at once that its messages have come.
///
/// CPython's clients write twice in a row, and TCP then holds the second back until the first is
/// acknowledged: for 40 ms, unless this side hurries.
pub(crate) struct Line {
    connection: Connection,
    /// Another handle of the socket, if it is TCP's.
    tcp: Option<TcpStream>,
}

impl Line {
    /// A connection that a listener at this address has accepted.
    pub(super) fn new(connection: Connection, address: &Address) -> Result<Self, Error> {
        let tcp = match address {
            Address::Inet(..) => Some(TcpStream::from(connection.fd()?.try_clone()?)),
            _ => None,
        };
        Ok(Self { connection, tcp })
    }

    /// Lets both sides prove that they know the key.
    pub(super) fn shake_hands(
        &self,
        credentials: &Credentials,
        security: &Security,
    ) -> Result<(), Error> {
        let deadline = Deadline::after(PATIENCE);
        security.accept(&self.connection, deadline)?;
        credentials.accept(&self.connection, deadline)
    }

    /// Waits for a message.
    pub(super) fn recv(&self) -> Result<Vec<u8>, Error> {
        if let Some(tcp) = &self.tcp {
            // The system forgets it with every message that goes the other way.
            tcp.set_quickack(true)?;
        }
        self.connection.recv_bytes()
    }

    /// Whether the client is gone, as far as that shows before its messages are read.
    pub(crate) fn is_over(&self) -> bool {
        let Ok(fd) = self.connection.fd() else {
            return true;
        };
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let next = recv(fd.as_raw_fd(), &mut [0], flags);
        !matches!(next, Ok(1..) | Err(Errno::EAGAIN | Errno::EINTR))
    }

    /// Sends a reply.
    pub(super) fn send(&self, reply: &Reply) -> Result<(), Error> {
        self.send_bytes(&encode(reply)?)
    }

    pub(super) fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.connection.send_bytes(bytes)
    }
}

/// A reply as it is sent; that it cannot be pickled, if so.
pub(super) fn encode(reply: &Reply) -> Result<Vec<u8>, Error> {
    message::encode(reply).or_else(|error| {
        let text = Exception::from(error).traceback();
        let instead = Reply::Unserializable(text);
        message::encode(&instead).map_err(Error::encoding::<Object>)
    })
}
