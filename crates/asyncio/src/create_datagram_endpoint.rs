//! `loop.create_datagram_endpoint`.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use socket2::{Domain, Socket, Type};

use crate::address::Address;
use crate::base_events::EventLoop;
use crate::create_connection::BoxedResult;
use crate::exception::{Exception, Result};
use crate::exceptions::ValueError;
use crate::getaddrinfo::{AddressFamily, Lookup};
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
    local_addr: Option<(String, u16)>,
    remote_addr: Option<(String, u16)>,
    family: AddressFamily,
    reuse_port: bool,
    allow_broadcast: bool,
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
        self.options.local_addr = Some((host.to_owned(), port));
        self
    }

    /// Sends to this address, and receives only from there.
    pub fn with_remote_addr(mut self, host: &str, port: u16) -> Self {
        self.options.remote_addr = Some((host.to_owned(), port));
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

    /// Uses a socket that exists already, and nothing else that was given.
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
            Some(fd) => (datagram_socket(fd)?, None),
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

/// The first pair of addresses, of one family, that a socket can be made for.
async fn endpoint(event_loop: &EventLoop, options: &Options) -> Result<(Socket, Option<Address>)> {
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
            Ok(socket) => {
                // A socket that sends to all is not connected to one.
                return Ok((socket, remote.map(Address::Inet)));
            }
            Err(exception) if exception.is_base() => return Err(exception),
            Err(exception) => first = first.or(Some(exception)),
        }
    }
    let none = || Exception::from(ValueError::new("can not get address information"));
    Err(first.unwrap_or_else(none))
}

async fn addresses(
    event_loop: &EventLoop,
    options: &Options,
    address: Option<&(String, u16)>,
    passive: bool,
) -> Result<Option<Vec<SocketAddr>>> {
    let Some((host, port)) = address else {
        return Ok(None);
    };
    let lookup = Lookup {
        host: (!host.is_empty()).then(|| host.clone()),
        port: *port,
        family: options.family,
        passive,
    };
    event_loop.resolve(lookup).await.map(Some)
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
) -> Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), None);
    let socket = socket.map_err(os_error)?;
    socket
        .set_reuse_port(options.reuse_port)
        .map_err(os_error)?;
    socket
        .set_broadcast(options.allow_broadcast)
        .map_err(os_error)?;
    if let Some(local) = local {
        socket.bind(&local.into()).map_err(os_error)?;
    }
    let socket = Rc::new(socket);
    if let Some(remote) = remote.filter(|_| !options.allow_broadcast) {
        event_loop
            .connect(&socket, &remote.into(), Address::Inet(remote))
            .await?;
    }
    Ok(Rc::into_inner(socket).expect("the loop does not keep what it watched"))
}
