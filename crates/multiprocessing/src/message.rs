//! Whole messages over a socket: a length, the number of descriptors, the bytes.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::MsgFlags;

use crate::error::Error;
use crate::reduction::Message;
use crate::sys::fds;

/// The length in eight bytes and the number of descriptors in four.
const HEADER: usize = 12;

/// Sends a message whole, however long the other side takes to read it.
pub(crate) fn send(socket: BorrowedFd<'_>, message: &Message) -> Result<(), Error> {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&(message.bytes.len() as u64).to_le_bytes());
    header[8..].copy_from_slice(&(message.fds.len() as u32).to_le_bytes());
    let fds: Vec<RawFd> = message.fds.iter().map(AsRawFd::as_raw_fd).collect();
    if fds.len() <= fds::MAX {
        return send_all(socket, [&header, &message.bytes], &fds);
    }
    let mut batches = fds.chunks(fds::MAX);
    // All but the first batch go with one byte each, which the receiver drops.
    send_all(socket, [&header, &[]], batches.next().unwrap_or_default())?;
    for batch in batches {
        send_all(socket, [&[0], &[]], batch)?;
    }
    send_all(socket, [&message.bytes, &[]], &[])
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

fn send_all(socket: BorrowedFd<'_>, parts: [&[u8]; 2], mut fds: &[RawFd]) -> Result<(), Error> {
    let mut parts = &mut parts.map(IoSlice::new)[..];
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        let sent = fds::send_parts(socket, parts, fds, MsgFlags::empty())?;
        IoSlice::advance_slices(&mut parts, sent);
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
