//! A process ends when its parent does, however that ends.
//!
//! The parent holds the writing end of a pipe; the child asks the kernel to send it SIGKILL when
//! that end closes. Unlike `PR_SET_PDEATHSIG`, which is tied to the thread that started the child,
//! it costs no thread of the child's either.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Has the kernel kill this process when the other end of the pipe `end` is closed.
pub(crate) fn die_with(end: BorrowedFd<'_>) -> io::Result<()> {
    let end = end.as_raw_fd();
    // SAFETY: each call passes a number for a descriptor that is open; none touches memory.
    unsafe {
        check(libc::fcntl(end, libc::F_SETOWN, libc::getpid()))?;
        check(libc::fcntl(end, F_SETSIG, libc::SIGKILL))?;
        check(libc::fcntl(
            end,
            libc::F_SETFL,
            libc::O_ASYNC | libc::O_NONBLOCK,
        ))
    }
}

/// Which signal a descriptor sends; the C library's headers have it, `libc` does not.
const F_SETSIG: libc::c_int = 10;

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
