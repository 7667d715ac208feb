//! The files behind the blocks.
//!
//! Every process of ours that has a block open holds a shared lock of its file, which the mapping
//! keeps and the system releases with the process. Who wants to remove what is no longer used asks
//! for the exclusive lock.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, posix_fallocate};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::linkat;

use super::name::{self, Name};

/// How often, a millisecond apart, a block is looked at that somebody is just making or removing.
const ATTEMPTS: u32 = 100;

/// Makes a block of `size` bytes, all zero, that has no name yet.
///
/// So nobody sees it before it is whole, and nothing is left of it if this process is killed.
pub(crate) fn create(size: NonZeroUsize) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_TMPFILE)
        .open(name::directory())?;
    reserve(&file, size)?;
    file.lock_shared()?;
    Ok(file)
}

/// Takes the memory now: touching memory that the system does not have is a fatal signal.
fn reserve(file: &File, size: NonZeroUsize) -> io::Result<()> {
    let length = i64::try_from(size.get()).map_err(|_| Errno::EFBIG)?;
    // Beyond this limit the system would send a signal that ends the process.
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    if length as u64 > limit {
        return Err(Errno::EFBIG.into());
    }
    loop {
        match posix_fallocate(file, 0, length) {
            Err(Errno::EINTR) => {}
            result => return Ok(result?),
        }
    }
}

/// Gives a block its name.
pub(crate) fn publish(file: &File, name: &Name) -> io::Result<()> {
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flags = AtFlags::AT_SYMLINK_FOLLOW;
    Ok(linkat(
        AT_FDCWD,
        unnamed.as_str(),
        AT_FDCWD,
        &name.path(),
        flags,
    )?)
}

/// Opens the block of a name, which may turn out to be empty.
pub(crate) fn open(name: &Name) -> io::Result<File> {
    let mut attempts = 0..ATTEMPTS;
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOFOLLOW)
            .open(name.path())?;
        let locked = file.try_lock_shared().is_ok();
        let metadata = file.metadata()?;
        if metadata.nlink() == 0 {
            return Err(Errno::ENOENT.into());
        }
        // CPython makes a block first and gives it its size later.
        if (locked && metadata.len() > 0) || attempts.next().is_none() {
            return Ok(file);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Takes the name from a block, which lives on where it is open.
pub(crate) fn unlink(name: &Name) -> io::Result<()> {
    fs::remove_file(name.path())
}

/// Which block the name means.
pub(crate) fn inode(name: &Name) -> io::Result<u64> {
    Ok(fs::symlink_metadata(name.path())?.ino())
}

/// Whether the name still means the block with this inode.
pub(crate) fn is_there(name: &Name, wanted: u64) -> bool {
    inode(name).is_ok_and(|inode| inode == wanted)
}

/// What became of the wish to remove a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Done,
    /// Somebody else has removed it before.
    Needless,
    /// A process of ours has it open.
    InUse,
}

/// Removes the block with this inode if no process of ours has it open, or, if told to `wait`, once
/// none has.
pub(crate) fn remove_unused(name: &Name, inode: u64, wait: bool) -> Removal {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(name.path());
    let Ok(file) = file else {
        return Removal::Needless;
    };
    if file
        .metadata()
        .is_ok_and(|metadata| metadata.ino() != inode)
    {
        return Removal::Needless;
    }
    let locked = match wait {
        true => file.lock().is_ok(),
        false => file.try_lock().is_ok(),
    };
    if !locked {
        return Removal::InUse;
    }
    // Somebody may have unlinked it meanwhile, and used the name again.
    if is_there(name, inode) && unlink(name).is_ok() {
        Removal::Done
    } else {
        Removal::Needless
    }
}
