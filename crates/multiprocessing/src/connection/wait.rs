//! `multiprocessing.connection.wait`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use hilos_core::time::Timeout;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};

use super::Connection;
use crate::error::Error;
use crate::process::Process;
use crate::sys::pidfd::poll_timeout;

/// What [`wait`] can wait for: connections, processes, sockets, and whatever else has a
/// descriptor.
pub trait Waitable {
    /// The descriptor to look at.
    ///
    /// # Errors
    /// [`Error`] if there is none any more, or not yet.
    fn handle(&self) -> Result<Handle<'_>, Error>;

    /// Whether there is something already, without a look at the descriptor.
    fn is_ready(&self) -> bool {
        false
    }
}

/// A descriptor that is looked at while the one who has it may close it.
#[derive(Debug)]
pub enum Handle<'a> {
    /// It stays open as long as it is borrowed.
    Borrowed(BorrowedFd<'a>),
    /// It stays open as long as this lives.
    Shared(Arc<OwnedFd>),
}

impl AsFd for Handle<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Borrowed(fd) => fd.as_fd(),
            Self::Shared(fd) => fd.as_fd(),
        }
    }
}

impl<T: AsFd> Waitable for T {
    fn handle(&self) -> Result<Handle<'_>, Error> {
        Ok(Handle::Borrowed(self.as_fd()))
    }
}

impl Waitable for Connection {
    fn handle(&self) -> Result<Handle<'_>, Error> {
        self.fd().map(Handle::Shared)
    }

    fn is_ready(&self) -> bool {
        self.has_ahead()
    }
}

impl Waitable for Process {
    fn handle(&self) -> Result<Handle<'_>, Error> {
        let sentinel = self.sentinel();
        sentinel
            .map(Handle::Borrowed)
            .ok_or(Error::Assertion("process was not started"))
    }
}

/// Waits until at least one of `objects` is ready or `timeout` has passed; returns those that are.
///
/// A connection is ready when it has something to receive or its other end is closed, a process
/// when it has ended, a socket when it can be read. A negative timeout does not block.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::connection::{pipe, wait};
///
/// let (first, _other) = pipe(true)?;
/// let (second, sender) = pipe(false)?;
/// sender.send_bytes(b"x")?;
/// let ready = wait(&[&first, &second], None)?;
/// assert_eq!(ready.len(), 1);
/// assert_eq!(second.recv_bytes()?, b"x");
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Errors
/// [`Error`] if one of them is closed or was not started.
///
/// Mirrors [`multiprocessing.connection.wait`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.wait).
pub fn wait<'a, T: Into<Timeout>>(
    objects: &[&'a dyn Waitable],
    timeout: T,
) -> Result<Vec<&'a dyn Waitable>, Error> {
    let mut deadline = timeout.into().deadline();
    let ready_now: Vec<bool> = objects.iter().map(|object| object.is_ready()).collect();
    if ready_now.contains(&true) {
        deadline = hilos_core::time::Deadline::PAST;
    }
    let handles = objects
        .iter()
        .map(|object| object.handle())
        .collect::<Result<Vec<_>, _>>()?;
    let look = |handle| PollFd::new(handle, PollFlags::POLLIN);
    let mut fds: Vec<PollFd<'_>> = handles.iter().map(|handle| look(handle.as_fd())).collect();
    loop {
        match poll(&mut fds, poll_timeout(deadline)) {
            Ok(0) if !deadline.passed() => {}
            Err(Errno::EINTR) => {}
            Ok(_) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let is_ready = |index: usize| ready_now[index] || fds[index].any() == Some(true);
    let ready = objects
        .iter()
        .enumerate()
        .filter(|(index, _)| is_ready(*index));
    Ok(ready.map(|(_, object)| *object).collect())
}
