//! Nothing is left in `/dev/shm`: Python's `multiprocessing.resource_tracker`.
//!
//! The first process that creates a [`SharedMemory`](crate::shared_memory::SharedMemory) starts a
//! small process beside the program: the tracker. It hears of every block that the program and its
//! processes create and unlink, and removes
//!
//! - a block that nobody has unlinked, when the program and all its processes have ended, in
//!   whatever way, and says so on the standard error output;
//! - a block that a process was using when it was killed, at once, unless another process uses it
//!   too. What it had closed properly stays for the others.
//!
//! It never removes a block that a process of any program of this library has open: it waits until
//! that is closed. Programs in Python are not seen; what they have open they keep, but its name goes.
//!
//! The tracker lives in a session of its own, so that neither Ctrl-C nor a signal to the program's
//! process group reaches it. If it is killed, the next use of shared memory starts another, which is
//! told what this process has created; if the program is killed before that too, its blocks stay.
//!
//! Programs call nothing of this: it happens by itself.
//!
//! # Differences from Python
//! - There is one tracker for a program and all its processes, whichever starts it.
//! - `shared_memory` is the only type of resource, as nothing else here has a name.
//! - A file that has taken the name of an unlinked block is not mistaken for it.

mod client;
mod protocol;
mod server;
mod tree;

use crate::error::Error;
use crate::shared_memory::{Name, file};

pub(crate) use client::{leave, prepare, track, untrack};
pub(crate) use protocol::Block;
pub(crate) use server::serve;
pub(crate) use tree::{Tree, join, tree};

/// Starts the tracker, unless it runs.
///
/// # Errors
/// [`Error::Os`] if it cannot be started.
///
/// # Blocking
/// For about the time that starting a program takes.
///
/// Mirrors `resource_tracker.ensure_running`.
pub fn ensure_running() -> Result<(), Error> {
    client::ensure_running()
}

/// Has the tracker remove a resource at the end of this program.
///
/// `rtype` is `"shared_memory"`, and `name` that of a block, with or without a slash.
///
/// # Errors
/// [`Error::Value`] if there is no such type or the name is too long; [`Error::Os`] of the kind
/// `NotFound` if there is no such block, or if the tracker cannot be started.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::resource_tracker;
/// use multiprocessing::shared_memory::SharedMemory;
///
/// let shm = SharedMemory::create(10)?;
/// resource_tracker::unregister(shm.name(), "shared_memory")?;
/// resource_tracker::register(shm.name(), "shared_memory")?;
/// shm.unlink()?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// Mirrors `resource_tracker.register`.
pub fn register(name: &str, rtype: &str) -> Result<(), Error> {
    let block = find(name, rtype)?;
    track(&block)?;
    // Nobody has it open in the sense of a handle that is closed later.
    leave(&block);
    Ok(())
}

/// Has the tracker forget a resource.
///
/// # Errors
/// As [`register`].
///
/// Mirrors `resource_tracker.unregister`.
pub fn unregister(name: &str, rtype: &str) -> Result<(), Error> {
    untrack(&find(name, rtype)?);
    Ok(())
}

fn find(name: &str, rtype: &str) -> Result<Block, Error> {
    if rtype != "shared_memory" {
        let text =
            format!("Cannot register {name} for automatic cleanup: unknown resource type {rtype}");
        return Err(Error::Value(text));
    }
    if name.len() + rtype.len() >= 512 {
        return Err(Error::Value("msg too long".into()));
    }
    let name = Name::new(name)?;
    match file::inode(&name) {
        Ok(inode) => Ok(Block { name, inode }),
        Err(error) => Err(name.failed(error)),
    }
}
