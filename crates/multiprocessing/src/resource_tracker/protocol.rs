//! What is said to the tracker, and how.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, UnixAddr, bind, connect, getsockopt,
    listen, socket, sockopt::PeerCredentials,
};
use nix::unistd::{Pid, geteuid};
use serde::{Deserialize, Serialize};

use super::tree::Address;
use crate::shared_memory::Name;
use crate::sys::fds;

/// A block that the tracker may have to remove: its name, and what tells it from a later one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) name: Name,
    pub(crate) inode: u64,
}

/// What a process tells the tracker. There is no answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// The process uses the block; it is to be removed in the end, or when the process is killed.
    Track(Block),
    /// The process has closed the block, which stays for the other processes.
    Leave(Block),
    /// The block is unlinked, or not the tracker's business.
    Untrack(Block),
}

/// What the tracker says first to each process: that it is there and safe from signals.
pub(super) const GREETING: &[u8] = b"!";

/// More than the longest request.
const LONGEST: usize = 1024;

/// Sends a request whole, or not at all.
pub(super) fn send(socket: BorrowedFd<'_>, request: &Request) -> nix::Result<()> {
    let bytes = postcard::to_allocvec(request).map_err(|_| Errno::EINVAL)?;
    fds::send(socket, &bytes, &[], MsgFlags::empty()).map(drop)
}

/// Receives a request; `None` if the other process has ended, or talks nonsense.
pub(super) fn receive(socket: BorrowedFd<'_>) -> Option<Request> {
    let mut bytes = [0; LONGEST];
    let count = fds::receive(socket, &mut bytes, &mut Vec::new()).ok()?;
    postcard::from_bytes(&bytes[..count]).ok()
}

/// A socket that keeps messages apart.
fn new_socket() -> nix::Result<OwnedFd> {
    let (family, kind) = (AddressFamily::Unix, SockType::SeqPacket);
    socket(family, kind, SockFlag::SOCK_CLOEXEC, None)
}

fn resolve(address: &Address) -> nix::Result<UnixAddr> {
    UnixAddr::new_abstract(address.to_string().as_bytes())
}

/// Takes the address: only one process can, which then starts the tracker.
pub(super) fn listen_at(address: &Address) -> nix::Result<OwnedFd> {
    let socket = new_socket()?;
    bind(socket.as_raw_fd(), &resolve(address)?)?;
    listen(&socket, Backlog::MAXALLOWABLE)?;
    Ok(socket)
}

/// Connects to whoever has the address.
pub(super) fn connect_to(address: &Address) -> nix::Result<OwnedFd> {
    let socket = new_socket()?;
    connect(socket.as_raw_fd(), &resolve(address)?)?;
    if is_mine(&socket) {
        Ok(socket)
    } else {
        Err(Errno::EPERM)
    }
}

/// Whether the other end belongs to the same user.
pub(super) fn is_mine(socket: &OwnedFd) -> bool {
    getsockopt(socket, PeerCredentials).is_ok_and(|peer| peer.uid() == geteuid().as_raw())
}

/// The process at the other end, when it connected.
pub(super) fn peer(socket: &OwnedFd) -> Option<Pid> {
    let peer = getsockopt(socket, PeerCredentials).ok()?;
    Some(Pid::from_raw(peer.pid()))
}
