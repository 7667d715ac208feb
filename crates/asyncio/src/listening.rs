//! The sockets that a server listens on, and how.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use socket2::{Domain, Socket, Type};

use crate::address::{Address, unix_address};
use crate::base_events::EventLoop;
use crate::create_server::{CreateServer, Hosts};
use crate::exception::{Exception, Result, quoted};
use crate::exceptions::ValueError;
use crate::getaddrinfo::{AddressFamily, Lookup, domain};
use crate::os_error::{os_error, os_error_with, words};
use crate::server::UnixPath;
use crate::socket_repr::socket_repr;
use crate::streams::StartServer;

/// How a server listens.
pub(crate) struct Options {
    pub(crate) family: AddressFamily,
    pub(crate) backlog: u32,
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) keep_alive: bool,
    pub(crate) start_serving: bool,
    pub(crate) cleanup_socket: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            family: AddressFamily::Unspec,
            backlog: 100,
            reuse_address: true,
            reuse_port: false,
            keep_alive: false,
            start_serving: true,
            cleanup_socket: true,
        }
    }
}

/// Sockets on all addresses of `hosts`.
pub(crate) async fn listen_on(
    event_loop: &EventLoop,
    hosts: Hosts,
    port: u16,
    options: &Options,
) -> Result<Vec<Socket>> {
    let mut addresses = Vec::new();
    for host in hosts.0 {
        let shown = host.as_deref().map_or("None".to_owned(), quoted);
        let lookup = Lookup {
            host,
            port,
            family: options.family,
            passive: true,
        };
        let found = event_loop.resolve(lookup).await?;
        if found.is_empty() {
            let message = format!("getaddrinfo({shown}) returned empty list");
            return Err(Exception::new("OSError", message));
        }
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    let mut sockets = Vec::new();
    for address in &addresses {
        sockets.extend(bind_to(address, options)?);
    }
    if sockets.is_empty() {
        let shown: Vec<_> = addresses
            .into_iter()
            .map(|at| Address::Inet(at).to_string())
            .collect();
        let message = format!(
            "could not bind on any address out of [{}]",
            shown.join(", ")
        );
        return Err(Exception::new("OSError", message));
    }
    Ok(sockets)
}

/// A socket at `address`; `None` if this machine has no such address.
fn bind_to(address: &SocketAddr, options: &Options) -> Result<Option<Socket>> {
    let Ok(socket) = Socket::new(domain(address), Type::STREAM.cloexec(), None) else {
        return Ok(None);
    };
    match configure(&socket, address, options).and_then(|()| socket.bind(&(*address).into())) {
        Ok(()) => Ok(Some(socket)),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Ok(None),
        Err(error) => Err(bind_error(&error, *address)),
    }
}

/// What Python says of an address that a socket cannot have.
pub(crate) fn bind_error(error: &io::Error, address: SocketAddr) -> Exception {
    let shown = Address::Inet(address);
    let number = error.raw_os_error().unwrap_or_default();
    let reason = words(error).to_lowercase();
    let message =
        format!("error while attempting to bind on address {shown}: [errno {number}] {reason}");
    os_error_with(error, &message)
}

fn configure(socket: &Socket, address: &SocketAddr, options: &Options) -> io::Result<()> {
    socket.set_reuse_address(options.reuse_address)?;
    socket.set_reuse_port(options.reuse_port)?;
    socket.set_keepalive(options.keep_alive)?;
    match address.is_ipv6() {
        // The other family has a socket of its own.
        true => socket.set_only_v6(true),
        false => Ok(()),
    }
}

/// The socket of `fd`, which must be one of a stream, and Unix's.
pub(crate) fn unix_stream_socket(fd: OwnedFd) -> Result<Socket> {
    let socket = Socket::from(fd);
    match (socket.domain(), socket.r#type()) {
        (Ok(Domain::UNIX), Ok(Type::STREAM)) => Ok(socket),
        _ => {
            let message = format!(
                "A UNIX Domain Stream Socket was expected, got {}",
                socket_repr(&socket)
            );
            Err(ValueError::new(message).into())
        }
    }
}

/// The path of a Unix socket, and the number of its file.
pub(crate) fn path_of(socket: &Socket) -> Option<UnixPath> {
    let path = socket.local_addr().ok()?.as_pathname()?.to_owned();
    let inode = std::fs::metadata(&path).ok()?.ino();
    Some(UnixPath { path, inode })
}

pub(crate) fn bind_to_path(path: &Path) -> Result<Socket> {
    remove_stale(path);
    let address = unix_address(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM.cloexec(), None).map_err(os_error)?;
    match socket.bind(&address) {
        Ok(()) => Ok(socket),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let shown = quoted(&path.to_string_lossy());
            Err(os_error_with(
                &error,
                &format!("Address {shown} is already in use"),
            ))
        }
        Err(error) => Err(os_error(error)),
    }
}

/// Removes the socket of a server that is gone; what goes wrong, `bind` will tell.
pub(crate) fn remove_stale(path: &Path) {
    let is_abstract = path.as_os_str().as_encoded_bytes().first() == Some(&0);
    let is_socket =
        || std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if !is_abstract && is_socket() {
        let _ = std::fs::remove_file(path);
    }
}

/// The keyword arguments of listening, for a builder with a field `options`.
macro_rules! listening_options {
    ($builder:ident) => {
        impl $builder {
            /// Listens only on addresses of this family.
            pub fn with_family(mut self, family: AddressFamily) -> Self {
                self.options.family = family;
                self
            }

            /// How many connections may wait to be accepted; 100 unless given.
            pub fn with_backlog(mut self, backlog: u32) -> Self {
                self.options.backlog = backlog;
                self
            }

            /// Whether the port may still be in the hands of connections that are over; it may unless
            /// given.
            pub fn with_reuse_address(mut self, reuse_address: bool) -> Self {
                self.options.reuse_address = reuse_address;
                self
            }

            /// Whether other servers may listen on the same port.
            pub fn with_reuse_port(mut self, reuse_port: bool) -> Self {
                self.options.reuse_port = reuse_port;
                self
            }

            /// Whether the system looks from time to time if the other side is there.
            pub fn with_keep_alive(mut self, keep_alive: bool) -> Self {
                self.options.keep_alive = keep_alive;
                self
            }

            /// Whether it serves at once, as it does unless given, or when it is told to.
            pub fn with_start_serving(mut self, start_serving: bool) -> Self {
                self.options.start_serving = start_serving;
                self
            }

            /// Whether the path of a Unix socket is removed when the server is closed, as it is unless
            /// given.
            pub fn with_cleanup_socket(mut self, cleanup_socket: bool) -> Self {
                self.options.cleanup_socket = cleanup_socket;
                self
            }
        }
    };
}

listening_options!(CreateServer);
listening_options!(StartServer);
