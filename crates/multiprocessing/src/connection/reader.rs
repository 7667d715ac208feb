//! Taking messages out of a stream of bytes.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

use bytemuck::Pod;
use hilos_core::time::Deadline;
use nix::errno::Errno;

use super::security::Stream;
use crate::error::Error;
use crate::reduction::{LONGEST_PREFIX, take_prefix_of_vec};
use crate::sys::fds;
use crate::sys::numbers::Landing;
use crate::sys::pidfd::readable;

/// How much is read ahead: a short message and its length come with one call of the system. A connection
/// keeps that much memory, of which a server has many.
const AHEAD: usize = 16 * 1024;

/// How much memory a message gets before its bytes have come: its length may be a lie.
const TRUSTED: usize = 16 << 20;

/// What has been read of a stream and not been taken yet.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// A buffer that is filled from `start` to `end`; its length stays, so that it is zeroed once.
    bytes: Vec<u8>,
    /// Where the next message begins.
    start: usize,
    end: usize,
    /// Descriptors that came along.
    pub(super) fds: VecDeque<OwnedFd>,
}

/// Where a stream comes from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(super) fd: &'a OwnedFd,
    pub(super) stream: &'a Stream,
    pub(super) deadline: Deadline,
}

impl Reader {
    /// Goes on with what another process has read ahead.
    pub(super) fn resume(bytes: Vec<u8>, fds: VecDeque<OwnedFd>) -> Self {
        let (start, end) = (0, bytes.len());
        Self {
            bytes,
            start,
            end,
            fds,
        }
    }

    /// Takes what has been read ahead.
    pub(super) fn take_ahead(&mut self) -> (Vec<u8>, VecDeque<OwnedFd>) {
        let mut ahead = std::mem::take(&mut self.bytes);
        ahead.truncate(std::mem::take(&mut self.end));
        ahead.drain(..std::mem::take(&mut self.start));
        (ahead, std::mem::take(&mut self.fds))
    }

    /// Whether something has been read ahead.
    pub(super) fn has_ahead(&self) -> bool {
        self.start < self.end
    }

    /// The length of the next message; what it took to know it stays to be taken.
    pub(super) fn peek_length(&mut self, source: Source<'_>) -> Result<(usize, usize), Error> {
        self.fill(4, source)?;
        let header = &self.bytes[self.start..];
        let short = i32::from_be_bytes(header[..4].try_into().expect("four bytes"));
        if short >= 0 {
            return Ok((4, short as usize));
        }
        self.fill(12, source)?;
        let long = &self.bytes[self.start + 4..self.start + 12];
        let long = u64::from_be_bytes(long.try_into().expect("eight bytes"));
        match usize::try_from(long) {
            Ok(length) if short == -1 && isize::try_from(length).is_ok() => Ok((12, length)),
            _ => Err(Error::os("bad message length")),
        }
    }

    /// Takes the next message. When the deadline passes on the way, nothing is lost.
    pub(super) fn take(
        &mut self,
        (header, length): (usize, usize),
        source: Source<'_>,
    ) -> Result<Vec<u8>, Error> {
        if length > AHEAD && !source.stream.is_encrypted() {
            return self.take_long::<u8>(header, length, source);
        }
        let whole = header + length;
        while self.end - self.start < whole {
            let so_far = self.end - self.start;
            self.fill(whole.min(so_far + TRUSTED), source)?;
        }
        let begin = self.start + header;
        self.start = begin + length;
        Ok(self.bytes[begin..self.start].to_vec())
    }

    /// Takes the next message if it is a long vector of numbers, as the encoding has it.
    pub(super) fn take_vec<P: Pod>(
        &mut self,
        (header, length): (usize, usize),
        source: Source<'_>,
    ) -> Result<Option<Vec<P>>, Error> {
        if length <= AHEAD || source.stream.is_encrypted() {
            return Ok(None);
        }
        self.fill(header + LONGEST_PREFIX, source)?;
        let ahead = &self.bytes[self.start + header..][..LONGEST_PREFIX];
        match take_prefix_of_vec(ahead) {
            Some((count, prefix)) if count.checked_mul(size_of::<P>()) == Some(length - prefix) => {
                self.take_long(header + prefix, count, source).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Reads `count` elements, which begin after `skip` bytes, to where they will stay.
    fn take_long<P: Pod>(
        &mut self,
        skip: usize,
        count: usize,
        source: Source<'_>,
    ) -> Result<Vec<P>, Error> {
        let begin = self.start + skip;
        let length = count * size_of::<P>();
        let end = self.end.min(begin + length);
        let mut landing = Landing::new(count, &self.bytes[begin..end]);
        while landing.filled() < length {
            // Descriptors came with the beginning.
            if let Err(error) = source.read_with(|fd| landing.read(fd)) {
                self.bytes.truncate(begin);
                self.bytes.extend_from_slice(landing.as_bytes());
                self.end = self.bytes.len();
                return Err(error);
            }
        }
        self.start = end;
        Ok(landing.finish())
    }

    /// Reads until `count` bytes lie ahead.
    fn fill(&mut self, count: usize, source: Source<'_>) -> Result<(), Error> {
        if self.end - self.start >= count {
            return Ok(());
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= std::mem::take(&mut self.start);
        if self.end < AHEAD && self.bytes.len() > AHEAD {
            // A long message was kept here while it did not come on.
            self.bytes.truncate(AHEAD);
            self.bytes.shrink_to_fit();
        }
        if self.bytes.len() < AHEAD.max(count) {
            self.bytes.resize(AHEAD.max(count), 0);
        }
        while self.end < count {
            self.end += source.read(&mut self.bytes[self.end..], &mut self.fds)?;
        }
        Ok(())
    }
}

impl Source<'_> {
    /// Reads at least one byte.
    fn read(self, buffer: &mut [u8], received: &mut VecDeque<OwnedFd>) -> Result<usize, Error> {
        if self.stream.is_encrypted() {
            return self.stream.read(self, buffer);
        }
        let mut fds = Vec::new();
        let result = self.read_with(|fd| fds::receive(fd.as_fd(), buffer, &mut fds));
        received.extend(fds);
        result
    }

    /// Has `read` read at least one byte, once there is one.
    fn read_with(
        self,
        mut read: impl FnMut(&OwnedFd) -> nix::Result<usize>,
    ) -> Result<usize, Error> {
        loop {
            if !self.deadline.is_never() && !readable(self.fd.as_fd(), self.deadline) {
                return Err(Error::Timeout);
            }
            match read(self.fd) {
                Ok(0) | Err(Errno::ECONNRESET) => return Err(Error::Eof),
                Ok(count) => return Ok(count),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
