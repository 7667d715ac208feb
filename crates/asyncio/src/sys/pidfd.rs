//! A descriptor that can be read from when a child process has ended.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// A descriptor for the child `pid`, which must not have been waited for.
pub(crate) fn open(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two numbers and touches no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made the descriptor for us alone; it sets close-on-exec itself.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
