//! `loop.create_datagram_endpoint`.

use std::fmt;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::address::{Address, unix_address};
use crate::base_events::EventLoop;
use crate::connecting::only;
use crate::create_connection::BoxedResult;
use crate::exception::{Exception, Result, quoted};
use crate::exceptions::ValueError;
use crate::getaddrinfo::{AddressFamily, Lookup};
use crate::listening::remove_stale;
use crate::os_error::os_error;
use crate::protocols::DatagramProtocol;
use crate::socket_repr::socket_repr;
use crate::transports::DatagramTransport;

/// A socket for datagrams to be made; awaiting it makes it.
///
/// Returned by [`EventLoop::create_datagram_endpoint`]. Yields the transport and the protocol.
#[must_use = "nothing is made unless it is awaited"]
pub struct CreateDatagramEndpoint<F> {
    event_loop: EventLoop,
    factory: F,
    options: Options,
    sock: Option<OwnedFd>,
}

#[derive(Default)]
struct Options {
    local_addr: Option<Place>,
    remote_addr: Option<Place>,
    family: AddressFamily,
    reuse_port: bool,
    allow_broadcast: bool,
}

/// One end of what is sent.
enum Place {
    Host(String, u16),
    Path(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host, port) => write!(f, "({}, {port})", quoted(host)),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl Options {
    /// Refuses what a socket that exists already cannot be told.
    fn check_for_sock(&self) -> Result<()> {
        let shown = |place: &Option<Place>| place.as_ref().map(Place::to_string);
        let number = match self.family {
            AddressFamily::Unspec => None,
            AddressFamily::Inet => Some("2".to_owned()),
            AddressFamily::Inet6 => Some("10".to_owned()),
        };
        let given = [
            ("local_addr", shown(&self.local_addr)),
            ("remote_addr", shown(&self.remote_addr)),
            ("family", number),
            ("reuse_port", self.reuse_port.then(|| "True".to_owned())),
            (
                "allow_broadcast",
                self.allow_broadcast.then(|| "True".to_owned()),
            ),
        ];
        let problem = |(name, value): (&str, Option<String>)| Some(format!("{name}={}", value?));
        let problems: Vec<_> = given.into_iter().filter_map(problem).collect();
        if problems.is_empty() {
            return Ok(());
        }
        let message = format!(
            "socket modifier keyword arguments can not be used when sock is specified. ({})",
            problems.join(", ")
        );
        Err(ValueError::new(message).into())
    }
}

impl EventLoop {
    /// Makes a socket for datagrams, and gives what it receives to a protocol of
    /// `protocol_factory`.
    ///
    /// A server says where it receives ([`with_local_addr`]), a client whom it talks to
    /// ([`with_remote_addr`]).
    ///
    /// # Errors
    /// `OSError` if the system refuses; [`ValueError`] if neither address nor family is given;
    /// `gaierror` if a host is not known.
    ///
    /// Mirrors [`loop.create_datagram_endpoint`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.create_datagram_endpoint).
    ///
    /// [`with_local_addr`]: CreateDatagramEndpoint::with_local_addr
    /// [`with_remote_addr`]: CreateDatagramEndpoint::with_remote_addr
    pub fn create_datagram_endpoint<F, P>(&self, protocol_factory: F) -> CreateDatagramEndpoint<F>
    where
        F: FnOnce() -> P,
        P: DatagramProtocol,
    {
        CreateDatagramEndpoint {
            event_loop: self.clone(),
            factory: protocol_factory,
            options: Options::default(),
            sock: None,
        }
    }
}

impl<F> CreateDatagramEndpoint<F> {
    /// Receives on this address of the machine; port 0 is any that is free.
    pub fn with_local_addr(mut self, host: &str, port: u16) -> Self {
        self.options.local_addr = Some(Place::Host(host.to_owned(), port));
        self
    }

    /// Receives on a Unix socket that is made at `path`, in place of one that another has left.
    ///
    /// Nobody removes it afterwards.
    pub fn with_local_path<A: AsRef<Path>>(mut self, path: A) -> Self {
        self.options.local_addr = Some(Place::Path(path.as_ref().to_owned()));
        self
    }

    /// Sends to this address, and receives only from there.
    pub fn with_remote_addr(mut self, host: &str, port: u16) -> Self {
        self.options.remote_addr = Some(Place::Host(host.to_owned(), port));
        self
    }

    /// Sends to the Unix socket at `path`, and receives only from there.
    pub fn with_remote_path<A: AsRef<Path>>(mut self, path: A) -> Self {
        self.options.remote_addr = Some(Place::Path(path.as_ref().to_owned()));
        self
    }

    /// Uses only addresses of this family.
    pub fn with_family(mut self, family: AddressFamily) -> Self {
        self.options.family = family;
        self
    }

    /// Whether other sockets may have the same port.
    pub fn with_reuse_port(mut self, reuse_port: bool) -> Self {
        self.options.reuse_port = reuse_port;
        self
    }

    /// Whether datagrams may go to all at once.
    pub fn with_allow_broadcast(mut self, allow_broadcast: bool) -> Self {
        self.options.allow_broadcast = allow_broadcast;
        self
    }

    /// Uses a socket that exists already; nothing else may be given then.
    pub fn with_sock<S: Into<OwnedFd>>(mut self, sock: S) -> Self {
        self.sock = Some(sock.into());
        self
    }
}

impl<F, P> IntoFuture for CreateDatagramEndpoint<F>
where
    F: FnOnce() -> P + 'static,
    P: DatagramProtocol,
{
    type Output = Result<(DatagramTransport, Rc<P>)>;
    type IntoFuture = BoxedResult<(DatagramTransport, Rc<P>)>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

impl<F: FnOnce() -> P, P: DatagramProtocol> CreateDatagramEndpoint<F> {
    async fn make(self) -> Result<(DatagramTransport, Rc<P>)> {
        let event_loop = &self.event_loop;
        let (socket, remote) = match self.sock {
            Some(fd) => {
                let socket = datagram_socket(fd)?;
                self.options.check_for_sock()?;
                (socket, None)
            }
            None => endpoint(event_loop, &self.options).await?,
        };
        let protocol = Rc::new((self.factory)());
        let waiter = event_loop.create_future();
        let transport =
            DatagramTransport::start(event_loop, socket, remote, protocol.clone(), waiter.clone())?;
        let result = waiter.await;
        if result.is_err() {
            transport.close();
        }
        result.map(|()| (transport, protocol))
    }
}

fn datagram_socket(fd: OwnedFd) -> Result<Socket> {
    let socket = Socket::from(fd);
    match socket.r#type() {
        Ok(Type::DGRAM) => Ok(socket),
        _ => {
            let got = socket_repr(&socket);
            Err(ValueError::new(format!("A datagram socket was expected, got {got}")).into())
        }
    }
}

async fn endpoint(event_loop: &EventLoop, options: &Options) -> Result<(Socket, Option<Address>)> {
    match (&options.local_addr, &options.remote_addr) {
        (Some(Place::Path(_)) | None, Some(Place::Path(_))) | (Some(Place::Path(_)), None) => {
            unix_endpoint(event_loop, options).await
        }
        (Some(Place::Path(_)), _) | (_, Some(Place::Path(_))) => {
            Err(Exception::new("TypeError", "string is expected"))
        }
        _ => inet_endpoint(event_loop, options).await,
    }
}

async fn unix_endpoint(
    event_loop: &EventLoop,
    options: &Options,
) -> Result<(Socket, Option<Address>)> {
    let socket = new_socket(options, Domain::UNIX)?;
    if let Some(Place::Path(path)) = &options.local_addr {
        remove_stale(path);
        socket.bind(&unix_address(path)?).map_err(os_error)?;
    }
    let remote = match &options.remote_addr {
        Some(Place::Path(path)) => Some(unix_address(path)?),
        _ => None,
    };
    connected(event_loop, options, socket, remote).await
}

/// The first pair of addresses, of one family, that a socket can be made for.
async fn inet_endpoint(
    event_loop: &EventLoop,
    options: &Options,
) -> Result<(Socket, Option<Address>)> {
    let local = addresses(event_loop, options, options.local_addr.as_ref(), true).await?;
    let remote = addresses(event_loop, options, options.remote_addr.as_ref(), false).await?;
    let mut first = None;
    for (local, remote) in pairs(local, remote) {
        let domain = match (local.or(remote), options.family) {
            (Some(address), _) => Domain::for_address(address),
            (None, AddressFamily::Inet6) => Domain::IPV6,
            (None, AddressFamily::Inet) => Domain::IPV4,
            (None, AddressFamily::Unspec) => {
                return Err(ValueError::new("unexpected address family").into());
            }
        };
        match make(event_loop, options, domain, local, remote).await {
            Err(exception) if !exception.is_base() => first = first.or(Some(exception)),
            made => return made,
        }
    }
    let none = || Exception::from(ValueError::new("can not get address information"));
    Err(first.unwrap_or_else(none))
}

async fn addresses(
    event_loop: &EventLoop,
    options: &Options,
    place: Option<&Place>,
    passive: bool,
) -> Result<Option<Vec<SocketAddr>>> {
    let Some(Place::Host(host, port)) = place else {
        return Ok(None);
    };
    let lookup = Lookup {
        host: (!host.is_empty()).then(|| host.clone()),
        port: *port,
        family: options.family,
        passive,
    };
    event_loop.resolve_some(lookup).await.map(Some)
}

type Pair = (Option<SocketAddr>, Option<SocketAddr>);

fn pairs(local: Option<Vec<SocketAddr>>, remote: Option<Vec<SocketAddr>>) -> Vec<Pair> {
    match (local, remote) {
        (None, None) => vec![(None, None)],
        (Some(local), None) => local.into_iter().map(|local| (Some(local), None)).collect(),
        (None, Some(remote)) => remote
            .into_iter()
            .map(|remote| (None, Some(remote)))
            .collect(),
        (Some(local), Some(remote)) => {
            let fitting = |local: SocketAddr| {
                let same = |remote: &&SocketAddr| remote.is_ipv4() == local.is_ipv4();
                Some((Some(local), Some(*remote.iter().find(same)?)))
            };
            local.into_iter().filter_map(fitting).collect()
        }
    }
}

async fn make(
    event_loop: &EventLoop,
    options: &Options,
    domain: Domain,
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
) -> Result<(Socket, Option<Address>)> {
    let socket = new_socket(options, domain)?;
    if let Some(local) = local {
        socket.bind(&local.into()).map_err(os_error)?;
    }
    connected(event_loop, options, socket, remote.map(SockAddr::from)).await
}

fn new_socket(options: &Options, domain: Domain) -> Result<Socket> {
    let make = || {
        let socket = Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), None)?;
        if options.reuse_port {
            socket.set_reuse_port(true)?;
        }
        if options.allow_broadcast {
            socket.set_broadcast(true)?;
        }
        Ok(socket)
    };
    make().map_err(os_error)
}

/// Connects `socket` to `remote`; one that may send to all stays free.
async fn connected(
    event_loop: &EventLoop,
    options: &Options,
    socket: Socket,
    remote: Option<SockAddr>,
) -> Result<(Socket, Option<Address>)> {
    let Some(to) = remote else {
        return Ok((socket, None));
    };
    let (socket, shown) = (Rc::new(socket), Address::new(&to));
    if !options.allow_broadcast {
        event_loop.connect(&socket, &to, &shown).await?;
    }
    Ok((only(socket), Some(shown)))
}
