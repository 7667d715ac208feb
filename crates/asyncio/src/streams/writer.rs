//! `asyncio.StreamWriter`.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::{FlowControl, StreamReader, StreamReaderProtocol};
use crate::exception::Result;
use crate::repr::debug_like_display;
use crate::sleep::sleep;
use crate::transports::{ExtraInfo, Transport};

/// What a coroutine writes to a connection.
///
/// [`open_connection`](crate::open_connection) returns one. A handle: clones write to the same
/// stream. Writing never waits; [`drain`](Self::drain) does, while too much is to be written.
///
/// Mirrors [`asyncio.StreamWriter`](https://docs.python.org/3.14/library/asyncio-stream.html#asyncio.StreamWriter).
#[derive(Clone)]
pub struct StreamWriter(Rc<Inner>);

struct Inner {
    transport: RefCell<Transport>,
    flow: Rc<FlowControl>,
    reader: Option<StreamReader>,
}

impl StreamWriter {
    /// A writer to `transport`, which calls `protocol`; for pipes.
    ///
    /// `reader` is the stream from the other side, if there is one: what ends it fails
    /// [`drain`](Self::drain).
    pub fn new<R>(transport: &Transport, protocol: &StreamReaderProtocol, reader: R) -> Self
    where
        R: Into<Option<StreamReader>>,
    {
        Self::with_flow(transport.clone(), protocol.flow(), reader.into())
    }

    pub(crate) fn with_flow(
        transport: Transport,
        flow: Rc<FlowControl>,
        reader: Option<StreamReader>,
    ) -> Self {
        Self(Rc::new(Inner {
            transport: RefCell::new(transport),
            flow,
            reader,
        }))
    }

    /// The transport below.
    pub fn transport(&self) -> Transport {
        self.0.transport.borrow().clone()
    }

    /// Writes to another transport from now on, and has the reader pause that.
    #[cfg(feature = "ssl")]
    pub(crate) fn replace_transport(&self, transport: Transport) {
        if let Some(reader) = &self.0.reader {
            reader.attach(Some(transport.clone()));
        }
        let old = self.0.transport.replace(transport);
        drop(old);
    }

    /// Takes what the reader holds.
    #[cfg(feature = "ssl")]
    pub(crate) fn take_buffered(&self) -> Vec<u8> {
        self.0
            .reader
            .as_ref()
            .map_or_else(Vec::new, StreamReader::take_buffered)
    }

    /// Writes `data`, or keeps it to be written later. Follow it by [`drain`](Self::drain).
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) after [`write_eof`](Self::write_eof).
    pub fn write<D: AsRef<[u8]>>(&self, data: D) -> Result<()> {
        self.transport().write(data)
    }

    /// Writes each item of `data`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn writelines<I>(&self, data: I) -> Result<()>
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        self.transport().writelines(data)
    }

    /// Tells the other side, after what waits, that nothing more will come.
    ///
    /// # Errors
    /// `NotImplementedError` if the connection cannot be half closed.
    pub fn write_eof(&self) -> Result<()> {
        self.transport().write_eof()
    }

    /// Whether the connection can be half closed.
    pub fn can_write_eof(&self) -> bool {
        self.transport().can_write_eof()
    }

    /// Closes the connection when all that waits is written.
    pub fn close(&self) {
        self.transport().close();
    }

    /// Whether the connection is closed or is being closed.
    pub fn is_closing(&self) -> bool {
        self.transport().is_closing()
    }

    /// Waits until the connection is closed.
    ///
    /// # Errors
    /// What the connection was lost by; the `CancelledError` of a task that is cancelled meanwhile.
    pub async fn wait_closed(&self) -> Result<()> {
        self.0.flow.closed().await
    }

    /// What is known of the connection under `name`: `"peername"`, `"sockname"`, `"socket"`.
    pub fn get_extra_info(&self, name: &str) -> Option<ExtraInfo> {
        self.transport().get_extra_info(name)
    }

    /// Waits until it makes sense to write more.
    ///
    /// # Errors
    /// The reader's exception, or `ConnectionResetError` if the connection is lost; the
    /// `CancelledError` of a task that is cancelled meanwhile.
    pub async fn drain(&self) -> Result<()> {
        if let Some(exception) = self.0.reader.as_ref().and_then(StreamReader::exception) {
            return Err(exception);
        }
        if self.is_closing() {
            // `connection_lost` is called first, so that its error is not missed.
            sleep(0).await?;
        }
        self.0.flow.drain().await
    }
}

impl fmt::Display for StreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<StreamWriter transport={}", self.transport())?;
        if let Some(reader) = &self.0.reader {
            write!(f, " reader={reader}")?;
        }
        f.write_str(">")
    }
}

debug_like_display!(StreamWriter);
