//! Whole messages over a socket: a length, the number of descriptors, the bytes.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::MsgFlags;

use crate::error::Error;
use crate::reduction::Message;
use crate::sys::fds;

/// The length in eight bytes and the number of descriptors in four.
const HEADER: usize = 12;

/// A message up to this length goes out at once.
const SHORT: usize = 32 * 1024;

/// Sends a message whole, however long the other side takes to read it.
pub(crate) fn send(socket: BorrowedFd<'_>, message: &Message) -> Result<(), Error> {
    let mut bytes = Vec::with_capacity(HEADER + message.bytes.len());
    bytes.extend((message.bytes.len() as u64).to_le_bytes());
    bytes.extend((message.fds.len() as u32).to_le_bytes());
    if message.bytes.len() <= SHORT && message.fds.len() <= fds::MAX {
        bytes.extend_from_slice(&message.bytes);
        return send_all(socket, &bytes, &message.fds);
    }
    let mut batches = message.fds.chunks(fds::MAX);
    // All but the first batch go with one byte each, which the receiver drops.
    send_all(socket, &bytes, batches.next().unwrap_or_default())?;
    for batch in batches {
        send_all(socket, &[0], batch)?;
    }
    send_all(socket, &message.bytes, &[])
}

/// Receives a message whole; [`Error::Eof`] if the other end is closed before.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> Result<Message, Error> {
    let (mut header, mut fds) = ([0; HEADER], Vec::new());
    receive_all(socket, &mut header, &mut fds)?;
    let (length, count) = header.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
    let count = u32::from_le_bytes(count.try_into().expect("four bytes")) as usize;
    while fds.len() < count {
        receive_all(socket, &mut [0], &mut fds)?;
    }
    let length = usize::try_from(length).map_err(|_| Error::os("bad message length"))?;
    let mut bytes = vec![0; length];
    receive_all(socket, &mut bytes, &mut fds)?;
    Ok(Message { bytes, fds })
}

fn send_all(socket: BorrowedFd<'_>, mut bytes: &[u8], mut fds: &[OwnedFd]) -> Result<(), Error> {
    while !bytes.is_empty() {
        let sent = fds::send(socket, bytes, fds, MsgFlags::empty())?;
        bytes = &bytes[sent..];
        fds = &[];
    }
    Ok(())
}

fn receive_all(
    socket: BorrowedFd<'_>,
    mut bytes: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> Result<(), Error> {
    while !bytes.is_empty() {
        match fds::receive(socket, bytes, fds) {
            Ok(0) | Err(Errno::ECONNRESET) => return Err(Error::Eof),
            Ok(count) => bytes = &mut bytes[count..],
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
