//! `loop.create_connection` and `loop.create_unix_connection`.

use std::future::Future as StdFuture;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;

use socket2::{Domain, Socket, Type};

use crate::address::{Address, unix_address};
use crate::base_events::EventLoop;
use crate::create_server::bind_error;
use crate::exception::{Exception, Result};
use crate::exceptions::{ExceptionGroup, ValueError};
use crate::getaddrinfo::{AddressFamily, Lookup, domain};
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::security::Ssl;
use crate::socket_repr::socket_repr;
use crate::transports::Transport;

/// Where [`CreateConnection`] connects to.
enum Target {
    Host(Option<String>, u16),
    Path(PathBuf),
    Socket(OwnedFd),
}

/// A connection to be made; awaiting it makes it.
///
/// Returned by [`EventLoop::create_connection`] and its kin. Yields the transport and the protocol.
#[must_use = "nothing is connected unless it is awaited"]
pub struct CreateConnection<F> {
    event_loop: EventLoop,
    factory: F,
    target: Target,
    options: Options,
    pub(crate) ssl: Ssl,
}

#[derive(Default)]
struct Options {
    family: AddressFamily,
    local_addr: Option<(Option<String>, u16)>,
    interleave: usize,
    all_errors: bool,
}

impl EventLoop {
    /// Connects to a port of a host, and gives the connection to a protocol of `protocol_factory`.
    ///
    /// The addresses of the host are tried in turn. Coroutines use
    /// [`open_connection`](crate::open_connection).
    ///
    /// # Errors
    /// Python's `OSError` that says why no address could be connected to, `gaierror` if the name
    /// is not known; the `CancelledError` of a task that is cancelled meanwhile.
    ///
    /// Mirrors [`loop.create_connection`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.create_connection).
    pub fn create_connection<F, P>(
        &self,
        protocol_factory: F,
        host: &str,
        port: u16,
    ) -> CreateConnection<F>
    where
        F: FnOnce() -> P,
        P: Protocol,
    {
        let host = (!host.is_empty()).then(|| host.to_owned());
        CreateConnection::new(self, protocol_factory, Target::Host(host, port))
    }

    /// As [`create_connection`](Self::create_connection), over a socket that is connected already.
    pub fn create_connection_over<F, P, S>(
        &self,
        protocol_factory: F,
        sock: S,
    ) -> CreateConnection<F>
    where
        F: FnOnce() -> P,
        P: Protocol,
        S: Into<OwnedFd>,
    {
        CreateConnection::new(self, protocol_factory, Target::Socket(sock.into()))
    }

    /// Connects to the Unix socket at `path`.
    ///
    /// A path that begins with a zero byte is a name that is in no file system.
    ///
    /// # Errors
    /// As [`create_connection`](Self::create_connection).
    ///
    /// Mirrors [`loop.create_unix_connection`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.create_unix_connection).
    pub fn create_unix_connection<F, P, A>(
        &self,
        protocol_factory: F,
        path: A,
    ) -> CreateConnection<F>
    where
        F: FnOnce() -> P,
        P: Protocol,
        A: AsRef<Path>,
    {
        let path = path.as_ref().to_owned();
        CreateConnection::new(self, protocol_factory, Target::Path(path))
    }
}

impl<F> CreateConnection<F> {
    fn new(event_loop: &EventLoop, factory: F, target: Target) -> Self {
        Self {
            event_loop: event_loop.clone(),
            factory,
            target,
            options: Options::default(),
            ssl: Ssl::default(),
        }
    }

    /// Tries only addresses of this family.
    pub fn with_family(mut self, family: AddressFamily) -> Self {
        self.options.family = family;
        self
    }

    /// Connects from this address; port 0 is any.
    pub fn with_local_addr(mut self, host: &str, port: u16) -> Self {
        let host = (!host.is_empty()).then(|| host.to_owned());
        self.options.local_addr = Some((host, port));
        self
    }

    /// Tries addresses of the two families in turn, after so many of the first one.
    pub fn with_interleave(mut self, interleave: usize) -> Self {
        self.options.interleave = interleave;
        self
    }

    /// Whether the error is a group of what each address failed with.
    pub fn with_all_errors(mut self, all_errors: bool) -> Self {
        self.options.all_errors = all_errors;
        self
    }
}

impl<F, P> IntoFuture for CreateConnection<F>
where
    F: FnOnce() -> P + 'static,
    P: Protocol,
{
    type Output = Result<(Transport, Rc<P>)>;
    type IntoFuture = BoxedResult<(Transport, Rc<P>)>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

impl<F: FnOnce() -> P, P: Protocol> CreateConnection<F> {
    async fn make(self) -> Result<(Transport, Rc<P>)> {
        let event_loop = &self.event_loop;
        let host = match &self.target {
            Target::Host(host, _) => host.as_deref(),
            Target::Path(_) | Target::Socket(_) => None,
        };
        let security = self.ssl.client(host)?;
        let socket = match self.target {
            Target::Host(host, port) => connect_to(event_loop, host, port, self.options).await?,
            Target::Path(path) => connect_to_path(event_loop, &path).await?,
            Target::Socket(fd) => stream_socket(fd)?,
        };
        let protocol = Rc::new((self.factory)());
        let told = protocol.clone();
        let transport = security.start(event_loop, socket.into(), told).await?;
        Ok((transport, protocol))
    }
}

/// The socket of `fd`, which must be one of a stream.
pub(crate) fn stream_socket(fd: OwnedFd) -> Result<Socket> {
    let socket = Socket::from(fd);
    match socket.r#type() {
        Ok(Type::STREAM) => Ok(socket),
        _ => {
            let got = socket_repr(&socket);
            Err(ValueError::new(format!("A Stream Socket was expected, got {got}")).into())
        }
    }
}

async fn connect_to_path(event_loop: &EventLoop, path: &Path) -> Result<Socket> {
    let address = unix_address(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None);
    let socket = Rc::new(socket.map_err(os_error)?);
    event_loop
        .connect(&socket, &address, Address::new(&address))
        .await?;
    Ok(only(socket))
}

/// Nobody else has the socket when it is connected.
fn only(socket: Rc<Socket>) -> Socket {
    Rc::into_inner(socket).expect("the loop does not keep what it watched")
}

async fn connect_to(
    event_loop: &EventLoop,
    host: Option<String>,
    port: u16,
    options: Options,
) -> Result<Socket> {
    let lookup = |host, port| Lookup {
        host,
        port,
        family: options.family,
        passive: false,
    };
    let mut addresses = event_loop.resolve(lookup(host, port)).await?;
    let local = match options.local_addr {
        Some((host, port)) => Some(event_loop.resolve(lookup(host, port)).await?),
        None => None,
    };
    if options.interleave > 0 {
        addresses = interleaved(addresses, options.interleave);
    }
    let mut exceptions = Vec::new();
    for address in addresses {
        match connect_socket(event_loop, address, local.as_deref()).await {
            Ok(socket) => return Ok(socket),
            Err(exception) if exception.is_base() => return Err(exception),
            Err(exception) => exceptions.push(exception),
        }
    }
    Err(combined(exceptions, options.all_errors))
}

async fn connect_socket(
    event_loop: &EventLoop,
    address: SocketAddr,
    local: Option<&[SocketAddr]>,
) -> Result<Socket> {
    let socket = Socket::new(domain(&address), Type::STREAM.nonblocking().cloexec(), None);
    let socket = Rc::new(socket.map_err(os_error)?);
    if let Some(local) = local {
        bind_to_any(&socket, local, &address)?;
    }
    event_loop
        .connect(&socket, &address.into(), Address::Inet(address))
        .await?;
    Ok(only(socket))
}

/// Binds to the first of `local` that is of the right family and free.
fn bind_to_any(socket: &Socket, local: &[SocketAddr], remote: &SocketAddr) -> Result<()> {
    let mut last = None;
    for address in local
        .iter()
        .filter(|local| local.is_ipv4() == remote.is_ipv4())
    {
        match socket.bind(&(*address).into()) {
            Ok(()) => return Ok(()),
            Err(error) => last = Some(bind_error(&error, *address)),
        }
    }
    Err(last.unwrap_or_else(|| {
        let family = match remote.is_ipv4() {
            true => "<AddressFamily.AF_INET: 2>",
            false => "<AddressFamily.AF_INET6: 10>",
        };
        let message = format!("no matching local address with family={family} found");
        Exception::new("OSError", message)
    }))
}

/// `addresses` with the families in turn, after `first` of the first one.
fn interleaved(addresses: Vec<SocketAddr>, first: usize) -> Vec<SocketAddr> {
    let Some(leader) = addresses.first().map(SocketAddr::is_ipv4) else {
        return addresses;
    };
    let (ours, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv4() == leader);
    let mut ours = ours.into_iter();
    let mut result: Vec<_> = ours.by_ref().take(first - 1).collect();
    let mut others = others.into_iter();
    loop {
        let pair = (ours.next(), others.next());
        if pair == (None, None) {
            return result;
        }
        result.extend(pair.0);
        result.extend(pair.1);
    }
}

/// One exception for all.
fn combined(mut exceptions: Vec<Exception>, all: bool) -> Exception {
    if all {
        return ExceptionGroup::new("create_connection failed", exceptions).into();
    }
    let mut texts = exceptions.iter().map(ToString::to_string);
    let first = texts.next();
    if exceptions.is_empty() {
        return Exception::new("OSError", "getaddrinfo() returned empty list");
    }
    if texts.all(|text| Some(text) == first) {
        return exceptions.swap_remove(0);
    }
    let texts: Vec<_> = exceptions.iter().map(ToString::to_string).collect();
    Exception::new(
        "OSError",
        format!("Multiple exceptions: {}", texts.join(", ")),
    )
}

/// What awaiting a builder waits for.
pub(crate) type BoxedResult<T> = Pin<Box<dyn StdFuture<Output = Result<T>>>>;
