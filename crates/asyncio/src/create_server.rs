//! `loop.create_server` and `loop.create_unix_server`.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use socket2::Socket;

use crate::base_events::EventLoop;
use crate::create_connection::{BoxedResult, stream_socket};
use crate::exception::Result;
use crate::listening::{Options, bind_to_path, listen_on, path_of, unix_stream_socket};
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::security::Ssl;
use crate::server::{Factory, Server, Serving};
use crate::sleep::sleep;

/// The hosts that a server listens on: one, several, or all of this machine (`""`).
pub struct Hosts(pub(crate) Vec<Option<String>>);

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

/// What a server listens on.
pub(crate) enum Target {
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
    pub(crate) options: Options,
    pub(crate) ssl: Ssl,
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
    pub(crate) fn new<F, P>(event_loop: &EventLoop, factory: F, target: Target) -> Self
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

    async fn make(self) -> Result<Server> {
        let (event_loop, options) = (self.event_loop, self.options);
        let security = self.ssl.server()?;
        let is_unix = matches!(self.target, Target::Path(_) | Target::UnixSocket(_));
        let sockets = self.target.sockets(&event_loop, &options).await?;
        for socket in &sockets {
            socket.set_nonblocking(true).map_err(os_error)?;
        }
        let unlink = match is_unix && options.cleanup_socket {
            true => sockets.first().and_then(path_of),
            false => None,
        };
        let serving = Serving {
            factory: self.factory,
            security,
            backlog: options.backlog,
        };
        let server = Server::new(&event_loop, sockets, serving, unlink);
        if options.start_serving {
            server.listen()?;
            sleep(0).await?;
        }
        Ok(server)
    }
}

impl Target {
    async fn sockets(self, event_loop: &EventLoop, options: &Options) -> Result<Vec<Socket>> {
        match self {
            Self::Hosts(hosts, port) => listen_on(event_loop, hosts, port, options).await,
            Self::Path(path) => Ok(vec![bind_to_path(&path)?]),
            Self::Socket(fd) => Ok(vec![stream_socket(fd)?]),
            Self::UnixSocket(fd) => Ok(vec![unix_stream_socket(fd)?]),
        }
    }
}

impl IntoFuture for CreateServer {
    type Output = Result<Server>;
    type IntoFuture = BoxedResult<Server>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}
