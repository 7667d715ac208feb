//! A handle of a process that never means another.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Arc;

use hilos_core::time::Deadline;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

/// A child of this process.
#[derive(Debug)]
pub(crate) struct PidFd {
    pid: Pid,
    fd: Arc<OwnedFd>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// What it returned, or the negative number of the signal that killed it.
    pub(crate) exitcode: i32,
    /// The most memory it had, in KiB.
    pub(crate) peak_kib: i64,
}

impl PidFd {
    /// Opens a handle of `pid`, a child of this process that nobody has waited for.
    pub(crate) fn open(pid: Pid) -> io::Result<Self> {
        // SAFETY: takes two numbers and returns a descriptor that is nobody else's.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just returned by the kernel, and owned by nobody.
        let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
        Ok(Self {
            pid,
            fd: Arc::new(fd),
        })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// What becomes readable when the process ends.
    pub(crate) fn sentinel(&self) -> Arc<OwnedFd> {
        self.fd.clone()
    }

    /// The same, for as long as this handle lives.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Waits for the process to end; `false` when `deadline` has passed before.
    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        readable(self.fd.as_fd(), deadline)
    }

    /// Takes the status of a process that has ended; `None` if somebody else took it.
    pub(crate) fn reap(&self) -> Option<Status> {
        let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
        loop {
            // SAFETY: both places are writable and of the types that the call wants.
            let pid = unsafe {
                libc::wait4(
                    self.pid.as_raw(),
                    &raw mut status,
                    libc::WNOHANG,
                    usage.as_mut_ptr(),
                )
            };
            match pid {
                -1 if Errno::last() == Errno::EINTR => {}
                pid if pid == self.pid.as_raw() => break,
                _ => return None,
            }
        }
        // SAFETY: zeroed first, which is a value of this plain struct, and filled by the call.
        let peak_kib = unsafe { usage.assume_init() }.ru_maxrss;
        let exitcode = match libc::WIFSIGNALED(status) {
            true => -libc::WTERMSIG(status),
            false => libc::WEXITSTATUS(status),
        };
        Some(Status { exitcode, peak_kib })
    }
}

/// Waits until there is something to read, or the other end is gone; `false` when `deadline` has
/// passed before.
pub(crate) fn readable(fd: BorrowedFd<'_>, deadline: Deadline) -> bool {
    wait_for(fd, PollFlags::POLLIN, deadline)
}

fn wait_for(fd: BorrowedFd<'_>, events: PollFlags, deadline: Deadline) -> bool {
    let mut fds = [PollFd::new(fd, events)];
    loop {
        match poll(&mut fds, poll_timeout(deadline)) {
            Ok(0) if deadline.passed() => return false,
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return true,
        }
    }
}

/// Waits until one of the two is readable, and says whether it is the first.
pub(crate) fn readable_before(first: BorrowedFd<'_>, second: BorrowedFd<'_>) -> bool {
    let mut fds = [first, second].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    while poll(&mut fds, PollTimeout::NONE) == Err(Errno::EINTR) {}
    fds[0].any() != Some(false)
}

/// Waits until the other end of a socket is gone; `false` when `deadline` has passed before.
pub(crate) fn hung_up(socket: BorrowedFd<'_>, deadline: Deadline) -> bool {
    wait_for(socket, PollFlags::empty(), deadline)
}

/// The time that is left in milliseconds, rounded up so that nobody wakes too early.
pub(crate) fn poll_timeout(deadline: Deadline) -> PollTimeout {
    match deadline.remaining() {
        None => PollTimeout::NONE,
        Some(left) => {
            let milliseconds = left.as_micros().div_ceil(1000);
            PollTimeout::from(u16::try_from(milliseconds).unwrap_or(u16::MAX))
        }
    }
}
