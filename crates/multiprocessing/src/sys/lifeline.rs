//! A process ends when its parent does, however that ends.
//!
//! The parent holds one end of a socket pair; the child asks the kernel to send it SIGKILL when that
//! end closes. Unlike `PR_SET_PDEATHSIG`, which is tied to the thread that started the child,
//! it costs no thread of the child's either.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use hilos_core::process::exit_now;
use hilos_core::time::Deadline;

use super::pidfd::hung_up;

/// Has the kernel kill this process when the other end of the socket `end` is closed, or ends it
/// now if that has happened. Nothing may ever be sent to it, since that would count as well.
pub(crate) fn die_with(end: BorrowedFd<'_>) -> io::Result<()> {
    let number = end.as_raw_fd();
    // SAFETY: each call passes a number for a descriptor that is open; none touches memory.
    unsafe {
        check(libc::fcntl(number, libc::F_SETOWN, libc::getpid()))?;
        check(libc::fcntl(number, F_SETSIG, libc::SIGKILL))?;
        check(libc::fcntl(
            number,
            libc::F_SETFL,
            libc::O_ASYNC | libc::O_NONBLOCK,
        ))?;
    }
    // The parent may have gone before the kernel was asked.
    if hung_up(end, Deadline::PAST) {
        exit_now(1);
    }
    Ok(())
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
