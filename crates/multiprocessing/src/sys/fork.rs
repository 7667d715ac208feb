//! A copy of this process.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

use nix::unistd::{ForkResult, Pid};

/// Forks; returns `None` in the new process.
///
/// What standard output and error hold is flushed first and both are locked meanwhile, since
/// nobody in the child would release a lock that another thread holds.
///
/// # Safety
/// Only the thread that calls this exists in the child. A lock that another thread held stays
/// locked there for ever, so that the child must not wait for what the program's other threads use.
pub(crate) unsafe fn fork() -> io::Result<Option<Pid>> {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let _ = (out.flush(), err.flush());
    // SAFETY: up to the caller.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// How many threads this process has; `None` if the system does not tell.
pub(crate) fn threads() -> Option<u64> {
    // The links of a directory: two, and one for each directory within, of which every thread has one.
    let directory = std::fs::metadata("/proc/self/task").ok()?;
    directory.nlink().checked_sub(2)
}
