//! Sending descriptors to another process.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};

/// How many descriptors the kernel takes with one message.
pub(crate) const MAX: usize = 253;

/// How much memory so many descriptors take on arrival.
// SAFETY: computes with a number.
const SPACE: usize = unsafe { libc::CMSG_SPACE((MAX * size_of::<RawFd>()) as u32) } as usize;

/// Memory for them, aligned as the system has their header.
#[repr(C, align(8))]
struct Space([u8; SPACE]);

/// Two sockets, each the other's other end.
pub(crate) fn socket_pair(kind: SockType) -> nix::Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)
}

/// Sends `bytes`, and with them `fds`; returns how many bytes the socket took.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    fds: &[OwnedFd],
    flags: MsgFlags,
) -> nix::Result<usize> {
    let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    send_parts(socket, &[IoSlice::new(bytes)], &fds, flags)
}

/// Sends `parts` one after the other, and with them the descriptors of these numbers; returns how
/// many bytes the socket took.
pub(crate) fn send_parts(
    socket: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    fds: &[RawFd],
    flags: MsgFlags,
) -> nix::Result<usize> {
    let rights = [ControlMessage::ScmRights(fds)];
    let control = if fds.is_empty() { &[][..] } else { &rights };
    let flags = flags | MsgFlags::MSG_NOSIGNAL;
    loop {
        match sendmsg::<()>(socket.as_raw_fd(), parts, control, flags, None) {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// Receives into `bytes`, and the descriptors that come along into `fds`; returns how many bytes
/// came, 0 at the end.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> nix::Result<usize> {
    let mut space = Space([0; SPACE]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    loop {
        let mut slices = [IoSliceMut::new(bytes)];
        let raw = socket.as_raw_fd();
        match recvmsg::<()>(raw, &mut slices, Some(&mut space.0), flags) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
            Ok(message) => {
                for control in message.cmsgs()? {
                    if let ControlMessageOwned::ScmRights(received) = control {
                        // SAFETY: the kernel has just made these descriptors for this process;
                        // nobody else knows of them.
                        fds.extend(
                            received
                                .iter()
                                .map(|&fd| unsafe { OwnedFd::from_raw_fd(fd) }),
                        );
                    }
                }
                return Ok(message.bytes);
            }
        }
    }
}
