//! `loop.sendfile` and `loop.sock_sendfile`.

mod over_transport;
mod part;
mod stand_in;

use std::future::Future as StdFuture;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;

use socket2::{SockRef, Type};

pub(crate) use part::Part;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::{SendfileNotAvailableError, ValueError};
use crate::os_error::os_error;
use crate::transports::Transport;

/// Where a file is sent to.
enum To<'a> {
    Socket(BorrowedFd<'a>),
    Transport(&'a Transport),
}

/// A file to be sent; awaiting it sends it.
///
/// Returned by [`EventLoop::sendfile`] and [`EventLoop::sock_sendfile`]. Yields how many bytes were
/// sent. However it ends, the file's position is behind the last byte that was.
#[must_use = "nothing is sent unless it is awaited"]
pub struct Sendfile<'a> {
    event_loop: EventLoop,
    to: To<'a>,
    file: BorrowedFd<'a>,
    offset: u64,
    count: Option<u64>,
    fallback: bool,
}

impl EventLoop {
    /// Sends a file over a transport, by the system alone where it can: no byte of it is copied
    /// into the program.
    ///
    /// What waits to be written goes first. Until the file is sent, the transport reads nothing and
    /// may not be written to.
    ///
    /// ```
    /// use hilos_asyncio as asyncio;
    /// use std::fs::File;
    ///
    /// asyncio::run(async {
    ///     let server = asyncio::start_server(async |_, writer| {
    ///         let file = File::open("Cargo.toml")?;
    ///         let event_loop = asyncio::get_running_loop()?;
    ///         event_loop.sendfile(&writer.transport(), &file).with_count(9).await?;
    ///         writer.close();
    ///         Ok(())
    ///     }, "127.0.0.1", 0).await?;
    ///     let port = server.sockets()[0].getsockname()?.port().unwrap_or_default();
    ///     let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
    ///     assert_eq!(reader.read_to_end().await?, b"[package]");
    ///     writer.close();
    ///     server.close();
    ///     Ok(())
    /// })?;
    /// # Ok::<(), asyncio::Exception>(())
    /// ```
    ///
    /// # Errors
    /// `RuntimeError` if the transport is closing, is no connection of a socket, or sends a file
    /// already; `ConnectionError` or one of its kin if the connection is lost; [`ValueError`] for a
    /// count of 0; [`SendfileNotAvailableError`] if only the fallback could do it, and that is
    /// switched off; the `CancelledError` of a task that is cancelled meanwhile.
    ///
    /// # Differences from Python
    /// - A file is anything with a descriptor that can be read from.
    /// - Closing the transport ends the call, which waits for ever in CPython.
    ///
    /// Mirrors [`loop.sendfile`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sendfile).
    pub fn sendfile<'a, F: AsFd>(&self, transport: &'a Transport, file: &'a F) -> Sendfile<'a> {
        self.send(To::Transport(transport), file.as_fd())
    }

    /// Sends a file over a socket of the program's own, which must not block.
    ///
    /// # Errors
    /// The socket's `OSError`; [`ValueError`] for a count of 0, a socket that is not one of a
    /// stream, or in debug mode one that blocks; [`SendfileNotAvailableError`] and `CancelledError`
    /// as [`sendfile`](Self::sendfile).
    ///
    /// Mirrors [`loop.sock_sendfile`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_sendfile).
    pub fn sock_sendfile<'a, S: AsFd, F: AsFd>(&self, sock: &'a S, file: &'a F) -> Sendfile<'a> {
        self.send(To::Socket(sock.as_fd()), file.as_fd())
    }

    fn send<'a>(&self, to: To<'a>, file: BorrowedFd<'a>) -> Sendfile<'a> {
        Sendfile {
            event_loop: self.clone(),
            to,
            file,
            offset: 0,
            count: None,
            fallback: true,
        }
    }
}

impl Sendfile<'_> {
    /// Begins at this byte of the file; at the first one unless given.
    pub fn with_offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// Sends so many bytes, or less if the file ends; all of it unless given.
    pub fn with_count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Whether the file is read and written if the system cannot send it by itself; it is unless
    /// given.
    pub fn with_fallback(mut self, fallback: bool) -> Self {
        self.fallback = fallback;
        self
    }

    async fn run(self) -> Result<u64> {
        let part = Part::new(self.file, self.offset, self.count)?;
        match self.to {
            To::Socket(sock) => over_socket(&self.event_loop, sock, &part, self.fallback).await,
            To::Transport(transport) => {
                over_transport::send(&self.event_loop, transport, &part, self.fallback).await
            }
        }
    }
}

impl<'a> IntoFuture for Sendfile<'a> {
    type Output = Result<u64>;
    type IntoFuture = Pin<Box<dyn StdFuture<Output = Result<u64>> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

async fn over_socket(
    event_loop: &EventLoop,
    sock: BorrowedFd<'_>,
    part: &Part,
    fallback: bool,
) -> Result<u64> {
    event_loop.check_sock(&sock)?;
    if SockRef::from(&sock).r#type().map_err(os_error)? != Type::STREAM {
        return Err(ValueError::new("only SOCK_STREAM type sockets are supported").into());
    }
    match part.send_natively(event_loop, &sock).await {
        Err(exception) if fallback && is_not_available(&exception) => {
            part.send_by_reading(event_loop, &sock).await
        }
        result => result,
    }
}

fn is_not_available(exception: &Exception) -> bool {
    exception.is::<SendfileNotAvailableError>()
}
