//! `loop.create_connection` and `loop.create_unix_connection`.

use std::future::Future as StdFuture;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;

use socket2::{Domain, Socket, Type};

use crate::address::{Address, unix_address};
use crate::base_events::EventLoop;
use crate::connecting::{Options, connect_to, only};
use crate::exception::Result;
use crate::exceptions::ValueError;
use crate::listening::unix_stream_socket;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::security::Ssl;
use crate::socket_repr::socket_repr;
use crate::transports::Transport;

/// Where [`CreateConnection`] connects to.
pub(crate) enum Target {
    Host(Option<String>, u16),
    Path(PathBuf),
    Socket(OwnedFd),
    UnixSocket(OwnedFd),
}

impl Target {
    /// A port of a host; of this machine for `""`.
    pub(crate) fn host(host: &str, port: u16) -> Self {
        Self::Host((!host.is_empty()).then(|| host.to_owned()), port)
    }
}

/// A connection to be made; awaiting it makes it.
///
/// Returned by [`EventLoop::create_connection`] and its kin. Yields the transport and the protocol.
#[must_use = "nothing is connected unless it is awaited"]
pub struct CreateConnection<F> {
    event_loop: EventLoop,
    factory: F,
    target: Target,
    pub(crate) options: Options,
    pub(crate) ssl: Ssl,
}

impl EventLoop {
    /// Connects to a port of a host, and gives the connection to a protocol of `protocol_factory`.
    ///
    /// The addresses of the host are tried in turn; `""` is this machine, as Python's `None`.
    /// Coroutines use [`open_connection`](crate::open_connection).
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
        CreateConnection::new(self, protocol_factory, Target::host(host, port))
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

    /// As [`create_unix_connection`](Self::create_unix_connection), over a Unix socket that is
    /// connected already.
    ///
    /// # Errors
    /// [`ValueError`] if it is another kind of socket.
    pub fn create_unix_connection_over<F, P, S>(
        &self,
        protocol_factory: F,
        sock: S,
    ) -> CreateConnection<F>
    where
        F: FnOnce() -> P,
        P: Protocol,
        S: Into<OwnedFd>,
    {
        CreateConnection::new(self, protocol_factory, Target::UnixSocket(sock.into()))
    }
}

impl<F> CreateConnection<F> {
    pub(crate) fn new(event_loop: &EventLoop, factory: F, target: Target) -> Self {
        Self {
            event_loop: event_loop.clone(),
            factory,
            target,
            options: Options::default(),
            ssl: Ssl::default(),
        }
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
            Target::Path(_) | Target::Socket(_) | Target::UnixSocket(_) => None,
        };
        let security = self.ssl.client(host)?;
        let socket = match self.target {
            Target::Host(host, port) => connect_to(event_loop, host, port, self.options).await?,
            Target::Path(path) => connect_to_path(event_loop, &path).await?,
            Target::Socket(fd) => stream_socket(fd)?,
            Target::UnixSocket(fd) => unix_stream_socket(fd)?,
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

/// What awaiting a builder waits for.
pub(crate) type BoxedResult<T> = Pin<Box<dyn StdFuture<Output = Result<T>>>>;
