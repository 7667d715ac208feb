//! `multiprocessing.connection.Client`.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use hilos_core::time::Deadline;
use nix::errno::Errno;
use nix::sys::socket::sockopt::SendTimeout;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, setsockopt};
use nix::sys::time::TimeVal;

use super::address::Address;
use super::credentials::Credentials;
use super::endpoint::Connection;
#[cfg(any(feature = "pickle", feature = "ssl"))]
use super::security::Security;
use super::socket::{remote, resolve};
use crate::error::Error;

/// How long a listener may take until it has shown that it knows the key.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connects to a listener, of this program or another, and proves that this side knows the key;
/// Python's `Client`.
///
/// See [`Listener`](super::Listener) for an example.
///
/// # Errors
/// [`Error::Os`] if nobody listens there, [`Error::Authentication`] if the keys differ,
/// [`Error::Timeout`] if the other side has not accepted, and shown that it knows the key, in 30 seconds.
///
/// # Blocking
/// For 30 seconds at most, and as long as the system takes to look up the host's name.
///
/// # Differences from Python
/// - A host that is an IPv6 address works.
///
/// Mirrors [`multiprocessing.connection.Client`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.Client).
pub fn client<A: Into<Address>>(address: A, authkey: Option<&[u8]>) -> Result<Connection, Error> {
    call(&address.into(), &authkey.into())
}

/// A [`client`] that neither proves by MD5 that it knows the key nor lets the other side do so, which
/// CPython before 3.12 cannot do otherwise; see [`Listener::with_md5`](super::Listener::with_md5).
///
/// # Errors
/// As `client`; [`Error::Authentication`] also if the other side knows only MD5.
///
/// # Differences from Python
/// - Python refuses MD5 where the whole system does, as in FIPS mode.
pub fn client_without_md5<A: Into<Address>>(
    address: A,
    authkey: &[u8],
) -> Result<Connection, Error> {
    let credentials = Credentials::new(authkey).without_md5();
    call(&address.into(), &credentials)
}

fn call(address: &Address, credentials: &Credentials) -> Result<Connection, Error> {
    address.check()?;
    let deadline = Deadline::after(PATIENCE);
    let connection = dial(address, deadline)?;
    credentials.connect(&connection, deadline)?;
    Ok(connection)
}

/// A [`client`] of a listener that [encrypts](super::Listener::with_ssl); with the feature `ssl`.
///
/// The host's name or number has to be in the listener's certificate, unless the context says otherwise.
///
/// # Errors
/// As `client`, and [`Error::Os`] with an [`SslError`](hilos_ssl::SslError) if the other side is not who
/// it should be, or does not encrypt.
///
/// # Differences from Python
/// - Python's connections are never encrypted.
#[cfg(feature = "ssl")]
pub fn client_with_ssl<A: Into<Address>>(
    address: A,
    authkey: Option<&[u8]>,
    context: &hilos_ssl::SslContext,
) -> Result<Connection, Error> {
    let address = address.into();
    let security = Security::client(Some(context))?;
    let deadline = Deadline::after(PATIENCE);
    let connection = dial(&address, deadline)?;
    security.connect(&connection, &address, deadline)?;
    Credentials::from(authkey).connect(&connection, deadline)?;
    Ok(connection)
}

/// A [`client`] that gives up when `deadline` has passed.
#[cfg(feature = "pickle")]
pub(crate) fn client_until(
    address: &Address,
    credentials: &Credentials,
    security: &Security,
    deadline: Deadline,
) -> Result<Connection, Error> {
    address.check()?;
    let connection = dial(address, deadline)?;
    security.connect(&connection, address, deadline)?;
    credentials.connect(&connection, deadline)?;
    Ok(connection)
}

fn dial(address: &Address, deadline: Deadline) -> Result<Connection, Error> {
    match address {
        Address::Inet(host, port) => Ok(remote(dial_tcp((host, *port), deadline)?)?),
        Address::Unix(path) => dial_unix(&UnixAddr::new(path)?, deadline),
        Address::Abstract(name) => dial_unix(&UnixAddr::new_abstract(name)?, deadline),
    }
}

fn dial_tcp(address: (&str, u16), deadline: Deadline) -> Result<TcpStream, Error> {
    let mut last = Error::os("the host has no address");
    for address in resolve(address)? {
        let connected = match deadline.remaining() {
            None => TcpStream::connect(address),
            Some(Duration::ZERO) => return Err(Error::Timeout),
            Some(remaining) => TcpStream::connect_timeout(&address, remaining),
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => last = Error::Timeout,
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// A listener that has more callers than it accepts keeps the next one waiting.
fn dial_unix(address: &UnixAddr, deadline: Deadline) -> Result<Connection, Error> {
    let (family, flags) = (AddressFamily::Unix, SockFlag::SOCK_CLOEXEC);
    let fd = nix::sys::socket::socket(family, SockType::Stream, flags, None)?;
    send_until(&fd, deadline)?;
    loop {
        match nix::sys::socket::connect(fd.as_raw_fd(), address) {
            Ok(()) => break,
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Err(Error::Timeout),
            Err(error) => return Err(error.into()),
        }
    }
    if !deadline.is_never() {
        send_until(&fd, Deadline::NEVER)?;
    }
    Ok(Connection::named(fd))
}

/// Lets a socket wait for its other side no longer than until `deadline`.
pub(crate) fn send_until(fd: &OwnedFd, deadline: Deadline) -> Result<(), Error> {
    let limit = match deadline.remaining() {
        // A zero is no limit.
        None => Duration::ZERO,
        Some(remaining) => remaining.max(Duration::from_millis(1)),
    };
    let limit = TimeVal::new(limit.as_secs() as i64, i64::from(limit.subsec_micros()));
    Ok(setsockopt(fd, SendTimeout, &limit)?)
}
