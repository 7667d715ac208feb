//! `asyncio.Transport`.

use std::fmt;
use std::rc::Rc;

use super::{ExtraInfo, Flow, SocketTransport};
use crate::exception::Result;
use crate::protocols::Protocol;
use crate::repr::debug_like_display;

/// How a transport sends a file.
pub(crate) enum SendfileMode {
    Unsupported,
    /// By the system if it can.
    TryNative(Rc<SocketTransport>),
    /// In pieces only.
    #[cfg_attr(
        not(feature = "ssl"),
        expect(dead_code, reason = "of encrypted connections")
    )]
    Fallback,
}

/// What all transports of bytes can do, in whichever way.
pub(crate) trait StreamTransport {
    fn close(self: Rc<Self>);
    fn abort(self: Rc<Self>);
    fn is_closing(&self) -> bool;
    fn write(self: Rc<Self>, data: &[u8]) -> Result<()>;
    fn writelines(self: Rc<Self>, lines: &[&[u8]]) -> Result<()>;
    fn write_eof(self: Rc<Self>) -> Result<()>;
    fn can_write_eof(&self) -> bool;
    fn pause_reading(self: Rc<Self>);
    fn resume_reading(self: Rc<Self>);
    fn is_reading(&self) -> bool;
    fn get_write_buffer_size(&self) -> usize;
    /// The water marks, and whether the protocol was asked to pause writing.
    fn flow(&self) -> &Flow;
    /// Asks the protocol to pause if too much waits to be written.
    fn control_writing(&self);
    /// The protocol does nothing with what is received but feed a stream's reader.
    fn only_feeds(&self) {}
    fn get_protocol(&self) -> Option<Rc<dyn Protocol>>;
    fn set_protocol(self: Rc<Self>, protocol: Rc<dyn Protocol>);
    fn get_extra_info(&self, name: &str) -> Option<ExtraInfo>;
    /// Whether what goes over it can be encrypted.
    #[cfg(feature = "ssl")]
    fn is_start_tls_compatible(&self) -> bool {
        false
    }
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    fn sendfile_mode(self: Rc<Self>) -> SendfileMode {
        SendfileMode::Unsupported
    }
}

/// A connection that bytes are written to, and that gives what it reads to a
/// [`Protocol`].
///
/// A handle: clones are the same connection. Nothing blocks: what cannot be written at once waits
/// in a buffer, and the protocol is asked to pause when there is too much of it.
///
/// # Differences from Python
/// - One type stands for transports that read, that write, and that do both: a pipe's other
///   direction is closed.
///
/// Mirrors [`asyncio.Transport`](https://docs.python.org/3.14/library/asyncio-protocol.html#asyncio.Transport).
#[derive(Clone)]
pub struct Transport(pub(crate) Rc<dyn StreamTransport>);

impl Transport {
    /// Closes the connection when all that waits is written; nothing is read from now on.
    ///
    /// The protocol's `connection_lost` is called then.
    pub fn close(&self) {
        self.0.clone().close();
    }

    /// Closes the connection at once; what waits to be written is lost.
    pub fn abort(&self) {
        self.0.clone().abort();
    }

    /// Whether the connection is closed or is being closed.
    pub fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    /// Writes `data`, or keeps it to be written later.
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) after [`write_eof`](Self::write_eof). A connection
    /// that is lost swallows the bytes: the protocol is told.
    pub fn write<D: AsRef<[u8]>>(&self, data: D) -> Result<()> {
        self.0.clone().write(data.as_ref())
    }

    /// Writes each item of `list_of_data`, with one system call where it can be.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn writelines<I>(&self, list_of_data: I) -> Result<()>
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        let lines: Vec<I::Item> = list_of_data.into_iter().collect();
        let lines: Vec<&[u8]> = lines.iter().map(AsRef::as_ref).collect();
        self.0.clone().writelines(&lines)
    }

    /// Tells the other side, after what waits, that nothing more will come. Reading goes on.
    ///
    /// # Errors
    /// `NotImplementedError` if the connection cannot be half closed.
    pub fn write_eof(&self) -> Result<()> {
        self.0.clone().write_eof()
    }

    /// Whether the connection can be half closed.
    pub fn can_write_eof(&self) -> bool {
        self.0.can_write_eof()
    }

    /// Stops reading; the protocol gets no data until [`resume_reading`](Self::resume_reading).
    pub fn pause_reading(&self) {
        self.0.clone().pause_reading();
    }

    /// Reads again.
    pub fn resume_reading(&self) {
        self.0.clone().resume_reading();
    }

    /// Whether the transport reads.
    pub fn is_reading(&self) -> bool {
        self.0.is_reading()
    }

    /// How many bytes wait to be written.
    pub fn get_write_buffer_size(&self) -> usize {
        self.0.get_write_buffer_size()
    }

    /// The low-water and the high-water mark, in bytes.
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.0.flow().limits()
    }

    /// Sets the water marks, in bytes: 64 KiB and a quarter of it where `None` is given for both.
    ///
    /// # Errors
    /// [`ValueError`](crate::ValueError) if `high` is below `low`.
    pub fn set_write_buffer_limits<H, L>(&self, high: H, low: L) -> Result<()>
    where
        H: Into<Option<usize>>,
        L: Into<Option<usize>>,
    {
        self.0.flow().set_limits(high.into(), low.into())?;
        self.0.control_writing();
        Ok(())
    }

    /// The protocol, until the connection is lost.
    pub fn get_protocol(&self) -> Option<Rc<dyn Protocol>> {
        self.0.get_protocol()
    }

    /// Gives what is read from now on to `protocol`.
    pub fn set_protocol(&self, protocol: Rc<dyn Protocol>) {
        self.0.clone().set_protocol(protocol);
    }

    /// What is known under `name`: `"peername"`, `"sockname"`, `"socket"`, `"pipe"`.
    pub fn get_extra_info(&self, name: &str) -> Option<ExtraInfo> {
        self.0.get_extra_info(name)
    }

    /// Whether both are the same connection.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

debug_like_display!(Transport);
