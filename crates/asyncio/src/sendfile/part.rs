//! The part of a file that is sent.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::sendfile::sendfile64;
use socket2::SockRef;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::{SendfileNotAvailableError, ValueError};
use crate::os_error::os_error;
use crate::selector::Interest;

/// How much is read at once to be written to a socket.
const BLOCK: u64 = 256 * 1024;

/// A part of a file, and how much of it is sent.
pub(crate) struct Part {
    /// A second descriptor of the program's file, with the same position.
    file: Arc<File>,
    offset: u64,
    count: Option<u64>,
    sent: Cell<u64>,
}

impl Part {
    pub(super) fn new(file: BorrowedFd<'_>, offset: u64, count: Option<u64>) -> Result<Self> {
        if count == Some(0) {
            return Err(ValueError::new("count must be a positive integer (got 0)").into());
        }
        let file = file.try_clone_to_owned().map_err(os_error)?;
        Ok(Self {
            file: Arc::new(file.into()),
            offset,
            count,
            sent: Cell::new(0),
        })
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.get()
    }

    pub(super) fn advance(&self, sent: usize) {
        self.sent.set(self.sent.get() + sent as u64);
    }

    fn position(&self) -> u64 {
        self.offset.saturating_add(self.sent())
    }

    /// How many bytes are still to be sent, if that was said.
    fn left(&self) -> Option<u64> {
        self.count.map(|count| count.saturating_sub(self.sent()))
    }

    /// Has the system send the part to `sock`.
    pub(crate) async fn send_natively(
        &self,
        event_loop: &EventLoop,
        sock: &BorrowedFd<'_>,
    ) -> Result<u64> {
        let Ok(metadata) = self.file.metadata() else {
            return Err(SendfileNotAvailableError::new("not a regular file").into());
        };
        let length = self.count.unwrap_or(metadata.len());
        if length == 0 {
            return Ok(0);
        }
        let send = |sock: &SockRef<'_>| self.send_some(sock, length);
        event_loop.when_ready(sock, Interest::Write, send).await?
    }

    /// Sends what the socket takes now, of up to `length` bytes; the outcome, if it is one.
    fn send_some(&self, sock: &SockRef<'_>, length: u64) -> io::Result<Result<u64>> {
        let block = self.left().unwrap_or(length);
        if block == 0 {
            return Ok(Ok(self.sent()));
        }
        let block = usize::try_from(block).unwrap_or(usize::MAX);
        let mut position = i64::try_from(self.position()).unwrap_or(i64::MAX);
        match sendfile64(&**sock, &self.file, Some(&mut position), block) {
            Ok(0) => Ok(Ok(self.sent())),
            Ok(sent) => {
                self.advance(sent);
                // The others have their turn before the next piece.
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error @ (Errno::EAGAIN | Errno::EINTR)) => Err(error.into()),
            Err(error) => Ok(Err(self.refused(error))),
        }
    }

    fn refused(&self, error: Errno) -> Exception {
        match error {
            // It may be that the system cannot send such a file: the fallback will know.
            _ if self.sent() == 0 => {
                SendfileNotAvailableError::new("os.sendfile call failed").into()
            }
            Errno::ENOTCONN => Exception::new("ConnectionError", "socket is not connected"),
            error => os_error(error.into()),
        }
    }

    /// Sends the part to `sock` in pieces that a thread reads.
    pub(super) async fn send_by_reading(
        &self,
        event_loop: &EventLoop,
        sock: &BorrowedFd<'_>,
    ) -> Result<u64> {
        self.seek()?;
        loop {
            let data = self.read(event_loop, BLOCK).await?;
            if data.is_empty() {
                return Ok(self.sent());
            }
            event_loop.sock_sendall(sock, &data).await?;
            self.advance(data.len());
        }
    }

    /// Goes to where the part begins, as far as the file can.
    pub(super) fn seek(&self) -> Result<()> {
        match (&*self.file).seek(SeekFrom::Start(self.offset)) {
            Err(error) if self.offset > 0 => Err(os_error(error)),
            _ => Ok(()),
        }
    }

    /// Reads the next piece, of up to `block` bytes; nothing at the end of the part.
    pub(super) async fn read(&self, event_loop: &EventLoop, block: u64) -> Result<Vec<u8>> {
        let block = self.left().map_or(block, |left| left.min(block));
        if block == 0 {
            return Ok(Vec::new());
        }
        let file = self.file.clone();
        let read = move || {
            let mut data = vec![0; usize::try_from(block).unwrap_or(usize::MAX)];
            let count = (&*file).read(&mut data)?;
            data.truncate(count);
            Ok::<_, io::Error>(data)
        };
        event_loop.try_run_in_executor(None, read)?.await
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.sent() > 0 {
            // What cannot seek has no position.
            let _ = (&*self.file).seek(SeekFrom::Start(self.position()));
        }
    }
}
