//! Addresses that answer, refuse, or never answer, and names that stand for them.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use hilos::asyncio::get_running_loop;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, getsockname, listen, socket,
};

/// An address that refuses connections, as long as this lives.
pub(crate) struct Refusing {
    _socket: OwnedFd,
    pub(crate) address: SocketAddr,
}

impl Refusing {
    pub(crate) fn new(ip: &str) -> Self {
        let any = SocketAddr::new(ip.parse().unwrap(), 0);
        let family = match any.is_ipv4() {
            true => AddressFamily::Inet,
            false => AddressFamily::Inet6,
        };
        // It is bound, so that nobody else gets the port, and does not listen.
        let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(socket.as_raw_fd(), &SockaddrStorage::from(any)).unwrap();
        let bound = getsockname::<SockaddrStorage>(socket.as_raw_fd()).unwrap();
        let port = match (bound.as_sockaddr_in(), bound.as_sockaddr_in6()) {
            (Some(bound), _) => bound.port(),
            (_, bound) => bound.unwrap().port(),
        };
        Self {
            _socket: socket,
            address: SocketAddr::new(any.ip(), port),
        }
    }

    /// What connecting to it fails with.
    pub(crate) fn message(&self) -> String {
        let shown = hilos::asyncio::Address::from(self.address);
        format!("[Errno 111] Connect call failed {shown}")
    }
}

/// An address at which a connection is neither made nor refused, as long as this lives.
pub(crate) struct Silent {
    _listener: TcpListener,
    /// Those that wait to be accepted; there is no room for more.
    _waiting: Vec<TcpStream>,
    pub(crate) address: SocketAddr,
}

impl Silent {
    pub(crate) fn new(ip: &str) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        listen(&listener, Backlog::new(0).unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
        }
        Self {
            _listener: listener,
            _waiting: waiting,
            address,
        }
    }
}

/// Has every name stand for these addresses.
pub(crate) fn resolve_to<A: Into<Vec<SocketAddr>>>(addresses: A) {
    let addresses = addresses.into();
    let event_loop = get_running_loop().unwrap();
    event_loop.set_resolver(async move |_, _, _| Ok(addresses.clone()));
}

/// Whether the machine has addresses of sixteen bytes; tests that need them say so if not.
pub(crate) fn has_ipv6() -> bool {
    let has = TcpListener::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("skipped: this machine has no IPv6");
    }
    has
}
