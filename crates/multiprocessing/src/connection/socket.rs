//! The sockets below listeners and connections.

use std::io;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::{SocketAddrExt, TcpStreamExt};
use std::os::unix::net::{SocketAddr, UnixListener};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{
    KeepAlive, TcpKeepCount, TcpKeepIdle, TcpKeepInterval, TcpUserTimeout,
};

use super::address::Address;
use super::endpoint::Connection;

/// A socket that listens, of either kind.
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Socket {
    pub(super) fn bind(address: &Address) -> io::Result<Self> {
        Ok(match address {
            Address::Inet(host, port) => {
                let addresses: Vec<_> = resolve((host, *port))?.collect();
                // CPython's `localhost` is the IPv4 one.
                let first = addresses.iter().find(|address| address.is_ipv4());
                Self::Tcp(match first {
                    Some(address) => TcpListener::bind(address)?,
                    None => TcpListener::bind(&addresses[..])?,
                })
            }
            Address::Unix(path) => Self::Unix(UnixListener::bind(path)?),
            Address::Abstract(name) => {
                let address = SocketAddr::from_abstract_name(name)?;
                Self::Unix(UnixListener::bind_addr(&address)?)
            }
        })
    }

    /// Has [`accept`](Self::accept) never wait. What it accepts does.
    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            Self::Unix(listener) => listener.set_nonblocking(true),
        }
    }

    /// The address as it has become.
    pub(super) fn address(&self, wanted: Address) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => Ok(listener.local_addr()?.into()),
            Self::Unix(_) => Ok(wanted),
        }
    }

    pub(super) fn accept(&self) -> io::Result<(Connection, Option<Address>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, caller) = listener.accept()?;
                Ok((remote(stream)?, Some(caller.into())))
            }
            Self::Unix(listener) => {
                let (stream, caller) = listener.accept()?;
                let path = caller.as_pathname().map(|path| path.to_owned().into());
                Ok((Connection::named(OwnedFd::from(stream)), path))
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

/// The addresses of a host. As in Python, an empty name is every address of this machine to a listener, and
/// this machine to a caller.
pub(super) fn resolve(
    (host, port): (&str, u16),
) -> io::Result<impl Iterator<Item = std::net::SocketAddr>> {
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    (host, port).to_socket_addrs()
}

/// How long nothing may come before the system asks whether the other host is still there, in seconds; how often it
/// asks in vain, and how many seconds apart, before the connection has ended.
const SILENCE: u32 = 60;
const QUESTIONS: u32 = 6;
const BETWEEN: u32 = 10;

/// How long what is sent may go unacknowledged, in milliseconds: meanwhile nobody asks.
const UNACKNOWLEDGED: u32 = 120_000;

/// A connection over a network, where small messages go at once, and a host that is gone does not keep who waits.
pub(super) fn remote(stream: TcpStream) -> io::Result<Connection> {
    setsockopt(&stream, KeepAlive, &true)?;
    setsockopt(&stream, TcpKeepIdle, &SILENCE)?;
    setsockopt(&stream, TcpKeepInterval, &BETWEEN)?;
    setsockopt(&stream, TcpKeepCount, &QUESTIONS)?;
    setsockopt(&stream, TcpUserTimeout, &UNACKNOWLEDGED)?;
    stream.set_nodelay(true)?;
    // CPython writes twice in a row without saying so: it waits for the first to be acknowledged.
    stream.set_quickack(true)?;
    Ok(Connection::remote(stream.into()))
}
