//! `asyncio.Protocol` and its kin: what a connection calls when something happens to it.

use std::rc::Rc;

use crate::address::Address;
use crate::exception::{Exception, Result};
use crate::subprocess::SubprocessTransport;
use crate::transports::{DatagramTransport, Transport};

/// What a program does with the bytes of a connection, by callbacks.
///
/// The loop calls [`connection_made`](Self::connection_made) once, then
/// [`data_received`](Self::data_received) as often as data comes,
/// [`eof_received`](Self::eof_received) at most once, and
/// [`connection_lost`](Self::connection_lost) at the end. Coroutines use
/// [`open_connection`](crate::open_connection) and [`start_server`](crate::start_server) instead.
///
/// The methods get `&self`, because a protocol's own calls of its transport may call it back: keep
/// what changes in a `Cell` or `RefCell`.
///
/// ```
/// use std::cell::RefCell;
/// use hilos_asyncio as asyncio;
///
/// #[derive(Default)]
/// struct Echo(RefCell<Option<asyncio::Transport>>);
///
/// impl asyncio::Protocol for Echo {
///     fn connection_made(&self, transport: &asyncio::Transport) -> asyncio::Result<()> {
///         *self.0.borrow_mut() = Some(transport.clone());
///         Ok(())
///     }
///
///     fn data_received(&self, data: &[u8]) -> asyncio::Result<()> {
///         let transport = self.0.borrow().clone();
///         transport.expect("a connection").write(data)
///     }
/// }
///
/// asyncio::run(async {
///     let event_loop = asyncio::get_running_loop()?;
///     let server = event_loop.create_server(Echo::default, "127.0.0.1", 0).await?;
///     let port = server.sockets()[0].getsockname()?.port().unwrap_or_default();
///     let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
///     writer.write(b"hello")?;
///     assert_eq!(reader.readexactly(5).await?, b"hello");
///     writer.close();
///     server.close();
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// What a method returns as an error, or panics with, the loop's exception handler is told, and
/// the connection is closed.
///
/// # Differences from Python
/// - A protocol that reads into a buffer of its own says so by
///   [`as_buffered`](Self::as_buffered).
///
/// Mirrors [`asyncio.Protocol`](https://docs.python.org/3.14/library/asyncio-protocol.html#asyncio.Protocol).
#[expect(unused_variables, reason = "the names are for the documentation")]
pub trait Protocol: 'static {
    /// The connection is there; `transport` writes to it.
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        Ok(())
    }

    /// Some bytes have come, never none.
    fn data_received(&self, data: &[u8]) -> Result<()> {
        Ok(())
    }

    /// The other side will not write any more. `true` keeps the connection open, to write to it.
    fn eof_received(&self) -> Result<bool> {
        Ok(false)
    }

    /// The connection is closed: without an exception if it was by one of the two sides.
    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        Ok(())
    }

    /// More is waiting to be written than the transport's high-water mark.
    fn pause_writing(&self) -> Result<()> {
        Ok(())
    }

    /// No more is waiting to be written than the transport's low-water mark.
    fn resume_writing(&self) -> Result<()> {
        Ok(())
    }

    /// The protocol as one that has its bytes read into a buffer of its own.
    fn as_buffered(&self) -> Option<&dyn BufferedProtocol> {
        None
    }
}

/// A [`Protocol`] whose transport reads into the protocol's own buffer.
///
/// Its [`as_buffered`](Protocol::as_buffered) returns `Some(self)`, and
/// [`data_received`](Protocol::data_received) is not called.
///
/// # Differences from Python
/// - [`get_buffer`](Self::get_buffer) lends the buffer to a function, and does not return it.
///
/// Mirrors [`asyncio.BufferedProtocol`](https://docs.python.org/3.14/library/asyncio-protocol.html#asyncio.BufferedProtocol).
pub trait BufferedProtocol: Protocol {
    /// Calls `fill` with a buffer that is not empty; `sizehint` is how long it should be, if known.
    fn get_buffer(&self, sizehint: Option<usize>, fill: &mut dyn FnMut(&mut [u8])) -> Result<()>;

    /// The first `nbytes` of the buffer are new.
    fn buffer_updated(&self, nbytes: usize) -> Result<()>;
}

/// What a program does with datagrams, by callbacks.
///
/// Mirrors [`asyncio.DatagramProtocol`](https://docs.python.org/3.14/library/asyncio-protocol.html#asyncio.DatagramProtocol).
#[expect(unused_variables, reason = "the names are for the documentation")]
pub trait DatagramProtocol: 'static {
    /// The socket is there; `transport` sends from it.
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        Ok(())
    }

    /// A datagram has come from `addr`.
    fn datagram_received(&self, data: &[u8], addr: &Address) -> Result<()> {
        Ok(())
    }

    /// An earlier datagram could not be sent or received.
    fn error_received(&self, exc: &Exception) -> Result<()> {
        Ok(())
    }

    /// The socket is closed.
    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        Ok(())
    }

    /// More is waiting to be sent than the transport's high-water mark.
    fn pause_writing(&self) -> Result<()> {
        Ok(())
    }

    /// No more is waiting to be sent than the transport's low-water mark.
    fn resume_writing(&self) -> Result<()> {
        Ok(())
    }
}

/// A protocol that somebody else holds too.
impl<P: Protocol + ?Sized> Protocol for Rc<P> {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        (**self).connection_made(transport)
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        (**self).data_received(data)
    }

    fn eof_received(&self) -> Result<bool> {
        (**self).eof_received()
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        (**self).connection_lost(exc)
    }

    fn pause_writing(&self) -> Result<()> {
        (**self).pause_writing()
    }

    fn resume_writing(&self) -> Result<()> {
        (**self).resume_writing()
    }

    fn as_buffered(&self) -> Option<&dyn BufferedProtocol> {
        (**self).as_buffered()
    }
}

/// A protocol that somebody else holds too.
impl<P: DatagramProtocol + ?Sized> DatagramProtocol for Rc<P> {
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        (**self).connection_made(transport)
    }

    fn datagram_received(&self, data: &[u8], addr: &Address) -> Result<()> {
        (**self).datagram_received(data, addr)
    }

    fn error_received(&self, exc: &Exception) -> Result<()> {
        (**self).error_received(exc)
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        (**self).connection_lost(exc)
    }

    fn pause_writing(&self) -> Result<()> {
        (**self).pause_writing()
    }

    fn resume_writing(&self) -> Result<()> {
        (**self).resume_writing()
    }
}

/// What a program does with what a child process writes, by callbacks.
///
/// `fd` is 0 for the child's standard input, 1 for its output, 2 for its errors.
///
/// Mirrors [`asyncio.SubprocessProtocol`](https://docs.python.org/3.14/library/asyncio-protocol.html#asyncio.SubprocessProtocol).
#[expect(unused_variables, reason = "the names are for the documentation")]
pub trait SubprocessProtocol: 'static {
    /// The process runs, and its pipes are connected.
    fn connection_made(&self, transport: &SubprocessTransport) -> Result<()> {
        Ok(())
    }

    /// The child has written `data`.
    fn pipe_data_received(&self, fd: i32, data: &[u8]) -> Result<()> {
        Ok(())
    }

    /// A pipe is closed.
    fn pipe_connection_lost(&self, fd: i32, exc: Option<&Exception>) -> Result<()> {
        Ok(())
    }

    /// The child has ended. Some of what it wrote may still come.
    fn process_exited(&self) -> Result<()> {
        Ok(())
    }

    /// The child has ended, and all its pipes are closed.
    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        Ok(())
    }

    /// More is waiting to be written to the child than the transport's high-water mark.
    fn pause_writing(&self) -> Result<()> {
        Ok(())
    }

    /// No more is waiting to be written to the child than the transport's low-water mark.
    fn resume_writing(&self) -> Result<()> {
        Ok(())
    }
}

/// A protocol that somebody else holds too.
impl<P: SubprocessProtocol + ?Sized> SubprocessProtocol for Rc<P> {
    fn connection_made(&self, transport: &SubprocessTransport) -> Result<()> {
        (**self).connection_made(transport)
    }

    fn pipe_data_received(&self, fd: i32, data: &[u8]) -> Result<()> {
        (**self).pipe_data_received(fd, data)
    }

    fn pipe_connection_lost(&self, fd: i32, exc: Option<&Exception>) -> Result<()> {
        (**self).pipe_connection_lost(fd, exc)
    }

    fn process_exited(&self) -> Result<()> {
        (**self).process_exited()
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        (**self).connection_lost(exc)
    }

    fn pause_writing(&self) -> Result<()> {
        (**self).pause_writing()
    }

    fn resume_writing(&self) -> Result<()> {
        (**self).resume_writing()
    }
}
