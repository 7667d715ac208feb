//! `loop.create_server` and `loop.create_unix_server`.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use socket2::{Domain, Socket, Type};

use crate::address::{Address, unix_address};
use crate::base_events::EventLoop;
use crate::create_connection::{BoxedResult, stream_socket};
use crate::exception::{Exception, Result, quoted};
use crate::exceptions::ValueError;
use crate::getaddrinfo::{AddressFamily, Lookup, domain};
use crate::os_error::{os_error, os_error_with, words};
use crate::protocols::Protocol;
use crate::security::Ssl;
use crate::server::{Factory, Server, Serving, UnixPath};
use crate::sleep::sleep;
use crate::socket_repr::socket_repr;

/// The hosts that a server listens on: one, several, or all of this machine (`""`).
pub struct Hosts(Vec<Option<String>>);

impl Hosts {
    fn new<'h>(hosts: impl IntoIterator<Item = &'h str>) -> Self {
        let host = |host: &str| (!host.is_empty()).then(|| host.to_owned());
        Self(hosts.into_iter().map(host).collect())
    }
}

impl From<&str> for Hosts {
    fn from(host: &str) -> Self {
        Self::new([host])
    }
}

impl From<&String> for Hosts {
    fn from(host: &String) -> Self {
        Self::new([host.as_str()])
    }
}

impl From<Option<&str>> for Hosts {
    fn from(host: Option<&str>) -> Self {
        Self::new([host.unwrap_or_default()])
    }
}

impl From<&[&str]> for Hosts {
    fn from(hosts: &[&str]) -> Self {
        Self::new(hosts.iter().copied())
    }
}

impl<const N: usize> From<[&str; N]> for Hosts {
    fn from(hosts: [&str; N]) -> Self {
        Self::new(hosts)
    }
}

enum Target {
    Hosts(Hosts, u16),
    Path(PathBuf),
    Socket(OwnedFd),
    UnixSocket(OwnedFd),
}

/// A server to be made; awaiting it makes it.
///
/// Returned by [`EventLoop::create_server`] and its kin. Yields the [`Server`].
#[must_use = "nothing is served unless it is awaited"]
pub struct CreateServer {
    event_loop: EventLoop,
    factory: Factory,
    target: Target,
    options: Options,
    pub(crate) ssl: Ssl,
}

struct Options {
    family: AddressFamily,
    backlog: u32,
    reuse_address: bool,
    reuse_port: bool,
    keep_alive: bool,
    start_serving: bool,
    cleanup_socket: bool,
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

impl EventLoop {
    /// Listens on a port of this machine, and gives each connection to a protocol of
    /// `protocol_factory`.
    ///
    /// `host` says on which of the machine's addresses; `""` is all. Port 0 is any that is free:
    /// [`Server::sockets`] tells which.
    ///
    /// # Errors
    /// `OSError` if the port is in use or forbidden; `gaierror` if a host is not known; the
    /// `CancelledError` of a task that is cancelled meanwhile.
    ///
    /// Mirrors [`loop.create_server`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.create_server).
    pub fn create_server<F, P, H>(&self, protocol_factory: F, host: H, port: u16) -> CreateServer
    where
        F: Fn() -> P + 'static,
        P: Protocol,
        H: Into<Hosts>,
    {
        let target = Target::Hosts(host.into(), port);
        CreateServer::new(self, protocol_factory, target)
    }

    /// As [`create_server`](Self::create_server), on a socket that is bound already.
    pub fn create_server_on<F, P, S>(&self, protocol_factory: F, sock: S) -> CreateServer
    where
        F: Fn() -> P + 'static,
        P: Protocol,
        S: Into<OwnedFd>,
    {
        CreateServer::new(self, protocol_factory, Target::Socket(sock.into()))
    }

    /// Listens on a Unix socket that is made at `path`.
    ///
    /// A socket that another server has left there is replaced. A path that begins with a zero
    /// byte is a name that is in no file system.
    ///
    /// # Errors
    /// `OSError` if something else is at `path`, or the system refuses.
    ///
    /// Mirrors [`loop.create_unix_server`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.create_unix_server).
    pub fn create_unix_server<F, P, A>(&self, protocol_factory: F, path: A) -> CreateServer
    where
        F: Fn() -> P + 'static,
        P: Protocol,
        A: AsRef<Path>,
    {
        let target = Target::Path(path.as_ref().to_owned());
        CreateServer::new(self, protocol_factory, target)
    }
}

impl EventLoop {
    /// As [`create_unix_server`](Self::create_unix_server), on a socket that is bound already.
    pub fn create_unix_server_on<F, P, S>(&self, protocol_factory: F, sock: S) -> CreateServer
    where
        F: Fn() -> P + 'static,
        P: Protocol,
        S: Into<OwnedFd>,
    {
        CreateServer::new(self, protocol_factory, Target::UnixSocket(sock.into()))
    }
}

impl CreateServer {
    fn new<F, P>(event_loop: &EventLoop, factory: F, target: Target) -> Self
    where
        F: Fn() -> P + 'static,
        P: Protocol,
    {
        let factory: Factory = Rc::new(move || Rc::new(factory()));
        Self {
            event_loop: event_loop.clone(),
            factory,
            target,
            options: Options::default(),
            ssl: Ssl::default(),
        }
    }

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

    async fn make(self) -> Result<Server> {
        let Self {
            event_loop,
            factory,
            target,
            options,
            ssl,
        } = self;
        let security = ssl.server()?;
        let mut is_unix = false;
        let sockets = match target {
            Target::Hosts(hosts, port) => listen_on(&event_loop, hosts, port, &options).await?,
            Target::Socket(fd) => vec![stream_socket(fd)?],
            Target::UnixSocket(fd) => {
                is_unix = true;
                vec![unix_stream_socket(fd)?]
            }
            Target::Path(path) => {
                is_unix = true;
                vec![bind_to_path(&path)?]
            }
        };
        for socket in &sockets {
            socket.set_nonblocking(true).map_err(os_error)?;
        }
        let unlink = match is_unix && options.cleanup_socket {
            true => sockets.first().and_then(path_of),
            false => None,
        };
        let server = Server::new(
            &event_loop,
            sockets,
            Serving {
                factory,
                security,
                backlog: options.backlog,
            },
            unlink,
        );
        if options.start_serving {
            server.listen()?;
            sleep(0).await?;
        }
        Ok(server)
    }
}

impl IntoFuture for CreateServer {
    type Output = Result<Server>;
    type IntoFuture = BoxedResult<Server>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

async fn listen_on(
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
fn path_of(socket: &Socket) -> Option<UnixPath> {
    let path = socket.local_addr().ok()?.as_pathname()?.to_owned();
    let inode = std::fs::metadata(&path).ok()?.ino();
    Some(UnixPath { path, inode })
}

fn bind_to_path(path: &Path) -> Result<Socket> {
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
