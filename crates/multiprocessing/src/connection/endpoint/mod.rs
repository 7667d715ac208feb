//! `multiprocessing.connection.Connection`.

mod bytes;
mod travel;

use std::fmt;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::Pod;
use hilos_core::time::{Deadline, Timeout};
use nix::errno::Errno;
use nix::sys::socket::MsgFlags;
use parking_lot::{Mutex, RwLock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::reader::{Reader, Source};
use super::security::Stream;
use crate::error::Error;
use crate::reduction::{Message, dumps, dumps_public, loads, prefix_of_vec, take_count};
use crate::sys::pidfd::readable;
use crate::sys::{fds, numbers};

/// One end of a [`pipe`](super::pipe): whole messages go in here and come out at the other end.
///
/// A handle: clones are the same end. It goes to another process as an argument or through a
/// connection, and a message from it arrives whole whichever process reads it. Two threads may use
/// one end at the same time; two *processes* that read one end at the same time mix up messages.
/// It does not travel while another thread receives from it.
///
/// Values travel in postcard's encoding, so that both ends must be built from the same types;
/// [`send_bytes`](Self::send_bytes) travels as it is, framed as CPython frames it.
///
/// # Differences from Python
/// - The receiver names the type: `connection.recv::<i32>()`.
/// - [`recv_timeout`](Self::recv_timeout) gives up in time; Python has only `poll`.
///
/// Mirrors [`multiprocessing.connection.Connection`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.Connection).
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` once it is closed.
    fd: RwLock<Option<Arc<OwnedFd>>>,
    kind: Kind,
    stream: Stream,
    reader: Mutex<Reader>,
    /// Whether a message came that was too long to be received, or to be skipped.
    is_deaf: AtomicBool,
    /// Held while a message is written, so that two threads' messages do not mix.
    writing: Mutex<()>,
}

/// What the system calls the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Socket,
    /// To whoever has called, or was called, on this machine: perhaps a stranger, who is told no key.
    Named,
    /// Over a network, where descriptors do not travel.
    Remote,
    Receiver,
    Sender,
}

impl Connection {
    pub(super) fn socket(fd: OwnedFd) -> Self {
        Self::with_kind(fd, Kind::Socket, Reader::default())
    }

    pub(super) fn named(fd: OwnedFd) -> Self {
        Self::with_kind(fd, Kind::Named, Reader::default())
    }

    pub(super) fn remote(fd: OwnedFd) -> Self {
        Self::with_kind(fd, Kind::Remote, Reader::default())
    }

    pub(super) fn receiver(fd: OwnedFd) -> Self {
        Self::with_kind(fd, Kind::Receiver, Reader::default())
    }

    pub(super) fn sender(fd: OwnedFd) -> Self {
        Self::with_kind(fd, Kind::Sender, Reader::default())
    }

    fn with_kind(fd: OwnedFd, kind: Kind, reader: Reader) -> Self {
        let (fd, reader) = (RwLock::new(Some(Arc::new(fd))), Mutex::new(reader));
        Self {
            inner: Arc::new(Inner {
                fd,
                kind,
                stream: Stream::default(),
                reader,
                is_deaf: AtomicBool::new(false),
                writing: Mutex::new(()),
            }),
        }
    }

    /// Sends a value, and with it the queues, locks and connections in it.
    ///
    /// # Errors
    /// [`Error::Encoding`] if the value cannot travel, [`Error::Os`] if this end is closed or only
    /// receives, or if the other end is closed: `BrokenPipe`.
    ///
    /// # Blocking
    /// While the other side does not read and the system's buffer is full.
    pub fn send<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Error> {
        let fd = self.writable_fd()?;
        if let Some((length, bytes)) = numbers::as_bytes(value) {
            return self.write(&fd, &prefix_of_vec(length), bytes, &[]);
        }
        let message = match self.inner.kind {
            Kind::Remote | Kind::Named => dumps_public(value)?,
            _ => dumps(value)?,
        };
        if !message.fds.is_empty() && self.inner.kind == Kind::Remote {
            let hint = "a network lets no queue, lock or connection through; use a pipe";
            return Err(Error::encoding::<T>(hint));
        }
        if message.fds.len() > fds::MAX {
            return Err(Error::encoding::<T>(
                "more than 253 descriptors in one message",
            ));
        }
        self.write(&fd, &message.count(), &message.bytes, &message.fds)
    }

    /// Receives a value that the other side has [sent](Self::send).
    ///
    /// # Errors
    /// [`Error::Eof`] if the other end is closed and nothing is left, [`Error::Encoding`] if the
    /// message is no `T`, which costs this message alone, [`Error::Os`] if this end is closed or
    /// only sends.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn recv<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.recv_until(Deadline::NEVER)
    }

    /// Like [`recv`](Self::recv), and gives up after `timeout`; nothing is lost then.
    ///
    /// # Errors
    /// Those of `recv`, and [`Error::Timeout`].
    pub fn recv_timeout<T, D>(&self, timeout: D) -> Result<T, Error>
    where
        T: DeserializeOwned,
        D: Into<Timeout>,
    {
        self.recv_until(timeout.into().checked()?)
    }

    /// Sends an encoded value as far as that needs no waiting; says how many bytes are left.
    pub(crate) fn send_some(&self, bytes: &[u8], fds: &[OwnedFd]) -> Result<usize, Error> {
        match fds::send(
            self.writable_fd()?.as_fd(),
            bytes,
            fds,
            MsgFlags::MSG_DONTWAIT,
        ) {
            Ok(count) => Ok(bytes.len() - count),
            Err(Errno::EAGAIN) => Ok(bytes.len()),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets the other side read the end of this side's messages, while its own still arrive.
    pub(crate) fn shut_down_sending(&self) {
        if let Ok(fd) = self.fd() {
            let _ = nix::sys::socket::shutdown(fd.as_raw_fd(), nix::sys::socket::Shutdown::Write);
        }
    }

    /// Sends an encoded value with its descriptors.
    pub(crate) fn send_message(&self, message: &Message) -> Result<(), Error> {
        let fd = self.writable_fd()?;
        self.write(&fd, &message.count(), &message.bytes, &message.fds)
    }

    /// Receives an encoded value with its descriptors.
    pub(crate) fn recv_message(&self, deadline: Deadline) -> Result<Message, Error> {
        self.read(deadline, |reader, source| {
            let length = reader.peek_length(source)?;
            let bytes = reader.take(length, source)?;
            take_count(bytes, |count| {
                let count = count.min(reader.fds.len());
                reader.fds.drain(..count).collect()
            })
        })
    }

    /// Whether there is something to receive, at once or until `timeout` has passed.
    ///
    /// The end of the other side counts as something: the next `recv` says so. A negative timeout
    /// does not block.
    ///
    /// # Errors
    /// [`Error::Os`] if this end is closed or only sends.
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) -> Result<bool, Error> {
        let (fd, deadline) = (self.readable_fd()?, timeout.into().deadline());
        Ok(self.has_ahead() || readable(fd.as_fd(), deadline))
    }

    /// Closes this end, in all clones of the handle in this process.
    pub fn close(&self) {
        self.inner.fd.write().take();
    }

    /// Whether this end is closed.
    pub fn closed(&self) -> bool {
        self.inner.fd.read().is_none()
    }

    /// Whether this end receives.
    pub fn readable(&self) -> bool {
        self.inner.kind != Kind::Sender && !self.inner.is_deaf.load(Ordering::Relaxed)
    }

    /// Whether this end sends.
    pub fn writable(&self) -> bool {
        self.inner.kind != Kind::Receiver
    }

    /// The system's number of this end, for looking at; it is closed with this end.
    ///
    /// # Errors
    /// [`Error::Os`] if this end is closed.
    pub fn fileno(&self) -> Result<RawFd, Error> {
        Ok(self.fd()?.as_raw_fd())
    }

    pub(crate) fn fd(&self) -> Result<Arc<OwnedFd>, Error> {
        self.inner
            .fd
            .read()
            .clone()
            .ok_or_else(|| Error::os("handle is closed"))
    }

    /// Whether a message has been read, at least in part; not while another thread is about to receive it.
    pub(super) fn has_ahead(&self) -> bool {
        let reader = self.inner.reader.try_lock();
        reader.is_some_and(|reader| reader.has_ahead() || self.inner.stream.has_ahead())
    }

    /// Receives nothing more, and sends if it could.
    fn turn_deaf(&self) {
        match self.writable() {
            true => self.inner.is_deaf.store(true, Ordering::Relaxed),
            false => self.close(),
        }
    }

    #[cfg(feature = "ssl")]
    pub(super) fn stream(&self) -> &Stream {
        &self.inner.stream
    }

    fn readable_fd(&self) -> Result<Arc<OwnedFd>, Error> {
        let fd = self.fd()?;
        if self.readable() {
            Ok(fd)
        } else {
            Err(Error::os("connection is write-only"))
        }
    }

    fn writable_fd(&self) -> Result<Arc<OwnedFd>, Error> {
        let fd = self.fd()?;
        if self.writable() {
            Ok(fd)
        } else {
            Err(Error::os("connection is read-only"))
        }
    }

    fn recv_until<T: DeserializeOwned>(&self, deadline: Deadline) -> Result<T, Error> {
        let vec = self.recv_vec::<T, u8>(deadline);
        let vec = vec.or_else(|| self.recv_vec::<T, f64>(deadline));
        let vec = vec.or_else(|| self.recv_vec::<T, f32>(deadline));
        if let Some(value) = vec.transpose()? {
            return Ok(value);
        }
        let Message { bytes, fds } = self.recv_message(deadline)?;
        loads(&bytes, fds)
    }

    /// Receives a long vector of `P` to where it will stay; `None` if `T` or the message is
    /// something else.
    fn recv_vec<T, P: Pod>(&self, deadline: Deadline) -> Option<Result<T, Error>> {
        if !numbers::is_vec::<T, P>() || cfg!(target_endian = "big") {
            return None;
        }
        let vec = self.read(deadline, |reader, source| {
            let length = reader.peek_length(source)?;
            reader.take_vec::<P>(length, source)
        });
        Some(vec.transpose()?.map(numbers::from_vec))
    }

    /// Does something with what comes in, alone.
    fn read<R>(
        &self,
        deadline: Deadline,
        f: impl FnOnce(&mut Reader, Source<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let fd = self.readable_fd()?;
        let source = Source {
            fd: &fd,
            stream: &self.inner.stream,
            deadline,
        };
        // Another thread may receive, for as long as it likes.
        let reader = match deadline.instant() {
            Some(moment) => self.inner.reader.try_lock_until(moment),
            None => Some(self.inner.reader.lock()),
        };
        let mut reader = reader.ok_or(Error::Timeout)?;
        f(&mut reader, source)
    }

    /// Writes one message, which is `prefix` and `bytes`.
    fn write(
        &self,
        fd: &OwnedFd,
        prefix: &[u8],
        bytes: &[u8],
        fds: &[OwnedFd],
    ) -> Result<(), Error> {
        let (header, length) = header(prefix.len() + bytes.len());
        let mut parts = &mut [&header[..length], prefix, bytes].map(IoSlice::new)[..];
        let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let mut fds = &fds[..];
        let _writing = self.inner.writing.lock();
        while !parts.is_empty() {
            let written = match self.inner.stream.is_encrypted() {
                true => self.inner.stream.send(fd, parts)?,
                false => fds::send_parts(fd.as_fd(), parts, fds, MsgFlags::empty())?,
            };
            IoSlice::advance_slices(&mut parts, written);
            fds = &[];
        }
        Ok(())
    }
}

/// What goes before a message of `length` bytes, as CPython has it, and how long that is.
pub(crate) fn header(length: usize) -> ([u8; 12], usize) {
    let mut header = [0xff; 12];
    match i32::try_from(length) {
        Ok(length) => {
            header[..4].copy_from_slice(&length.to_be_bytes());
            (header, 4)
        }
        Err(_) => {
            header[4..].copy_from_slice(&(length as u64).to_be_bytes());
            (header, 12)
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.closed() { "closed" } else { "open" };
        write!(
            f,
            "<multiprocessing.connection.Connection {:?} {state}>",
            self.inner.kind
        )
    }
}
