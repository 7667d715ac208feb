//! `asyncio.open_connection` and `asyncio.open_unix_connection`.

use std::os::fd::OwnedFd;
use std::path::Path;

use super::{DEFAULT_LIMIT, StreamReader, StreamReaderProtocol, StreamWriter, checked_limit};
use crate::connecting::Options;
use crate::create_connection::{BoxedResult, CreateConnection, Target};
use crate::exception::Result;
use crate::running;
use crate::security::Ssl;

/// A connection to be opened; awaiting it opens it.
///
/// Returned by [`open_connection`] and its kin. Yields the reader and the writer.
#[must_use = "nothing is connected unless it is awaited"]
pub struct OpenConnection {
    target: Target,
    limit: usize,
    pub(crate) options: Options,
    pub(crate) ssl: Ssl,
}

/// Connects to a port of a host, to read from and write to.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let server = asyncio::start_server(async |reader, writer| {
///         let line = reader.readline().await?;
///         writer.write(line.to_ascii_uppercase())?;
///         writer.close();
///         Ok(())
///     }, "127.0.0.1", 0).await?;
///     let port = server.sockets()[0].getsockname()?.port().unwrap_or_default();
///
///     let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
///     writer.write(b"hello\n")?;
///     writer.drain().await?;
///     assert_eq!(reader.read_to_end().await?, b"HELLO\n");
///     writer.close();
///     server.close();
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// Those of [`EventLoop::create_connection`](crate::EventLoop::create_connection);
/// [`ValueError`](crate::ValueError) if the limit is 0.
///
/// Mirrors [`asyncio.open_connection`](https://docs.python.org/3.14/library/asyncio-stream.html#asyncio.open_connection).
pub fn open_connection(host: &str, port: u16) -> OpenConnection {
    OpenConnection::new(Target::host(host, port))
}

/// As [`open_connection`], over a socket that is connected already.
pub fn open_connection_over<S: Into<OwnedFd>>(sock: S) -> OpenConnection {
    OpenConnection::new(Target::Socket(sock.into()))
}

/// Connects to the Unix socket at `path`, to read from and write to.
///
/// # Errors
/// Those of [`EventLoop::create_unix_connection`](crate::EventLoop::create_unix_connection).
///
/// Mirrors [`asyncio.open_unix_connection`](https://docs.python.org/3.14/library/asyncio-stream.html#asyncio.open_unix_connection).
pub fn open_unix_connection<A: AsRef<Path>>(path: A) -> OpenConnection {
    OpenConnection::new(Target::Path(path.as_ref().to_owned()))
}

impl OpenConnection {
    fn new(target: Target) -> Self {
        Self {
            target,
            limit: DEFAULT_LIMIT,
            options: Options::default(),
            ssl: Ssl::default(),
        }
    }

    /// How many bytes the reader holds, twice that for a moment; 64 KiB unless given.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    async fn open(self) -> Result<(StreamReader, StreamWriter)> {
        let limit = checked_limit(self.limit)?;
        let event_loop = running::get_running_loop()?;
        let reader = StreamReader::in_loop(&event_loop, limit);
        let protocol = StreamReaderProtocol::in_loop(&event_loop, reader.clone(), None);
        let (flow, factory) = (protocol.flow(), move || protocol);
        let mut connection = CreateConnection::new(&event_loop, factory, self.target);
        connection.options = self.options;
        connection.ssl = self.ssl;
        let (transport, _) = connection.await?;
        let writer = StreamWriter::with_flow(transport, flow, Some(reader.clone()));
        Ok((reader, writer))
    }
}

impl IntoFuture for OpenConnection {
    type Output = Result<(StreamReader, StreamWriter)>;
    type IntoFuture = BoxedResult<(StreamReader, StreamWriter)>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}
