//! Messages that are bytes, as they are.

use std::ops::Range;

use hilos_core::time::Deadline;

use super::Connection;
use crate::error::Error;

impl Connection {
    /// Sends bytes as one message.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.write(&*self.writable_fd()?, &[], bytes, &[])
    }

    /// Sends part of `bytes` as one message; Python's `offset` and `size`.
    ///
    /// # Errors
    /// [`Error::Value`] if the range is not within `bytes`; otherwise as [`send`](Self::send).
    pub fn send_bytes_range(&self, bytes: &[u8], range: Range<usize>) -> Result<(), Error> {
        match bytes.get(range.clone()) {
            Some(part) => self.send_bytes(part),
            None if range.start > bytes.len() => Err(Error::Value("buffer length < offset".into())),
            None => Err(Error::Value("buffer length < offset + size".into())),
        }
    }

    /// Receives one message's bytes.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_bytes(&self) -> Result<Vec<u8>, Error> {
        self.take(usize::MAX, Deadline::NEVER)
    }

    /// Receives one message's bytes if they are at most `maxlength`.
    ///
    /// # Errors
    /// [`Error::Os`] if the message is longer; this end is closed then, or only sends from now
    /// on, because the message cannot be skipped safely. Otherwise as [`recv`](Self::recv).
    pub fn recv_bytes_max(&self, maxlength: usize) -> Result<Vec<u8>, Error> {
        self.take(maxlength, Deadline::NEVER)
    }

    /// Receives one message's bytes into `buffer` from `offset` on, and returns how many they are.
    ///
    /// # Errors
    /// [`Error::BufferTooShort`] with the message if it does not fit; otherwise as
    /// [`recv`](Self::recv).
    pub fn recv_bytes_into(&self, buffer: &mut [u8], offset: usize) -> Result<usize, Error> {
        let room = buffer.get_mut(offset..);
        let room = room.ok_or_else(|| Error::Value("offset too large".into()))?;
        let message = self.recv_bytes()?;
        match room.get_mut(..message.len()) {
            Some(place) => place.copy_from_slice(&message),
            None => return Err(Error::BufferTooShort(message)),
        }
        Ok(message.len())
    }

    /// Receives one message's bytes, if they are at most `maxlength` and come before `deadline`.
    pub(crate) fn recv_bytes_until(
        &self,
        maxlength: usize,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Error> {
        self.take(maxlength, deadline)
    }

    fn take(&self, maxlength: usize, deadline: Deadline) -> Result<Vec<u8>, Error> {
        self.read(deadline, |reader, source| {
            let length = reader.peek_length(source)?;
            if length.1 > maxlength {
                self.turn_deaf();
                return Err(Error::os("bad message length"));
            }
            reader.take(length, source)
        })
    }
}
