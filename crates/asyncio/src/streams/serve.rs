//! `asyncio.start_server` and `asyncio.start_unix_server`.

use std::os::fd::OwnedFd;
use std::path::Path;

use super::protocol::{ClientConnected, task_of};
use super::{DEFAULT_LIMIT, StreamReader, StreamReaderProtocol, StreamWriter, checked_limit};
use crate::create_connection::BoxedResult;
use crate::create_server::{CreateServer, Hosts, Target};
use crate::exception::Result;
use crate::listening::Options;
use crate::running;
use crate::security::Ssl;
use crate::server::Server;

/// A server of streams to be started; awaiting it starts it.
///
/// Returned by [`start_server`] and its kin. Yields the [`Server`].
#[must_use = "nothing is served unless it is awaited"]
pub struct StartServer {
    client_connected: ClientConnected,
    target: Target,
    limit: usize,
    pub(crate) options: Options,
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
/// # Differences from Python
/// - A limit of 0 is refused at once, not when the first client comes.
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
            options: Options::default(),
            ssl: Ssl::default(),
        }
    }

    /// How many bytes each reader holds, twice that for a moment; 64 KiB unless given.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
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
        let mut server = CreateServer::new(&event_loop, factory, self.target);
        server.options = self.options;
        server.ssl = self.ssl;
        server.await
    }
}

impl IntoFuture for StartServer {
    type Output = Result<Server>;
    type IntoFuture = BoxedResult<Server>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
