//! `asyncio.start_server` and `asyncio.start_unix_server`.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::protocol::{ClientConnected, task_of};
use super::{DEFAULT_LIMIT, StreamReader, StreamReaderProtocol, StreamWriter, checked_limit};
use crate::create_connection::BoxedResult;
use crate::create_server::{CreateServer, Hosts};
use crate::exception::Result;
use crate::getaddrinfo::AddressFamily;
use crate::running;
use crate::security::Ssl;
use crate::server::Server;

enum Target {
    Hosts(Hosts, u16),
    Path(PathBuf),
    Socket(OwnedFd),
    UnixSocket(OwnedFd),
}

/// A server of streams to be started; awaiting it starts it.
///
/// Returned by [`start_server`] and its kin. Yields the [`Server`].
#[must_use = "nothing is served unless it is awaited"]
pub struct StartServer {
    client_connected: ClientConnected,
    target: Target,
    limit: usize,
    configure: Vec<Box<dyn FnOnce(CreateServer) -> CreateServer>>,
    pub(crate) ssl: Ssl,
}

/// Listens on a port of this machine, and has `client_connected_cb` run as a task for each
/// connection.
///
/// `host` says on which of the machine's addresses; `""` is all. Port 0 is any that is free. An
/// error of the callback goes to the loop's exception handler, and closes its connection only.
///
/// An example is at [`open_connection`](crate::open_connection).
///
/// # Errors
/// Those of [`EventLoop::create_server`](crate::EventLoop::create_server);
/// [`ValueError`](crate::ValueError) if the limit is 0.
///
/// Mirrors [`asyncio.start_server`](https://docs.python.org/3.14/library/asyncio-stream.html#asyncio.start_server).
pub fn start_server<F, H>(client_connected_cb: F, host: H, port: u16) -> StartServer
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
    H: Into<Hosts>,
{
    StartServer::new(client_connected_cb, Target::Hosts(host.into(), port))
}

/// As [`start_server`], on a socket that is bound already.
pub fn start_server_on<F, S>(client_connected_cb: F, sock: S) -> StartServer
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
    S: Into<OwnedFd>,
{
    StartServer::new(client_connected_cb, Target::Socket(sock.into()))
}

/// As [`start_server`], on a Unix socket that is made at `path`.
///
/// Mirrors [`asyncio.start_unix_server`](https://docs.python.org/3.14/library/asyncio-stream.html#asyncio.start_unix_server).
pub fn start_unix_server<F, A>(client_connected_cb: F, path: A) -> StartServer
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
    A: AsRef<Path>,
{
    let target = Target::Path(path.as_ref().to_owned());
    StartServer::new(client_connected_cb, target)
}

/// As [`start_unix_server`], on a Unix socket that is bound already.
pub fn start_unix_server_on<F, S>(client_connected_cb: F, sock: S) -> StartServer
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
    S: Into<OwnedFd>,
{
    StartServer::new(client_connected_cb, Target::UnixSocket(sock.into()))
}

impl StartServer {
    fn new<F>(client_connected_cb: F, target: Target) -> Self
    where
        F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
    {
        Self {
            client_connected: task_of(client_connected_cb),
            target,
            limit: DEFAULT_LIMIT,
            configure: Vec::new(),
            ssl: Ssl::default(),
        }
    }

    /// How many bytes each reader holds, twice that for a moment; 64 KiB unless given.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Listens only on addresses of this family.
    pub fn with_family(self, family: AddressFamily) -> Self {
        self.with(move |server| server.with_family(family))
    }

    /// How many connections may wait to be accepted; 100 unless given.
    pub fn with_backlog(self, backlog: u32) -> Self {
        self.with(move |server| server.with_backlog(backlog))
    }

    /// Whether other servers may listen on the same port.
    pub fn with_reuse_port(self, reuse_port: bool) -> Self {
        self.with(move |server| server.with_reuse_port(reuse_port))
    }

    /// Whether it serves at once, as it does unless given, or when it is told to.
    pub fn with_start_serving(self, start_serving: bool) -> Self {
        self.with(move |server| server.with_start_serving(start_serving))
    }

    /// Whether the path of a Unix socket is removed when the server is closed, as it is unless
    /// given.
    pub fn with_cleanup_socket(self, cleanup_socket: bool) -> Self {
        self.with(move |server| server.with_cleanup_socket(cleanup_socket))
    }

    fn with(mut self, configure: impl FnOnce(CreateServer) -> CreateServer + 'static) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    async fn start(self) -> Result<Server> {
        let limit = checked_limit(self.limit)?;
        let event_loop = running::get_running_loop()?;
        let client_connected = self.client_connected;
        let factory = {
            let event_loop = event_loop.clone();
            move || {
                let reader = StreamReader::in_loop(&event_loop, limit);
                StreamReaderProtocol::in_loop(&event_loop, reader, Some(client_connected.clone()))
            }
        };
        let mut server = match self.target {
            Target::Hosts(hosts, port) => event_loop.create_server(factory, hosts, port),
            Target::Path(path) => event_loop.create_unix_server(factory, path),
            Target::Socket(fd) => event_loop.create_server_on(factory, fd),
            Target::UnixSocket(fd) => event_loop.create_unix_server_on(factory, fd),
        };
        server.ssl = self.ssl;
        let configure =
            |server, configure: Box<dyn FnOnce(CreateServer) -> CreateServer>| configure(server);
        self.configure.into_iter().fold(server, configure).await
    }
}

impl IntoFuture for StartServer {
    type Output = Result<Server>;
    type IntoFuture = BoxedResult<Server>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
