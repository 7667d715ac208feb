//! Memory that processes share by passing its descriptor.

use std::io;
use std::mem::{align_of, size_of};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use bytemuck::Zeroable;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::mapping::Mapping;

/// A file in memory, without a name, mapped into this process.
///
/// Other processes may write to it at any moment, so it is only reached through atomics. It can
/// grow, in all processes at once, and never shrinks.
#[derive(Debug)]
pub(crate) struct Shared {
    fd: OwnedFd,
    /// All addresses that are taken; the file may be shorter.
    mapping: Mapping,
    /// How long the file was when this process last looked.
    len: AtomicUsize,
}

impl Shared {
    /// Creates memory of `len` bytes, all zero, that can grow to `reserved` bytes.
    pub(crate) fn new(len: usize, reserved: usize) -> io::Result<Self> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let fd = memfd_create("hilos", flags)?;
        reserve(&fd, 0, len)?;
        // What is mapped must stay there: reading beyond the end of a file is a fatal signal.
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(seals))?;
        Self::map(fd, len, reserved)
    }

    /// Maps what another process has created, of at least `len` bytes.
    pub(crate) fn open(fd: OwnedFd, len: usize, reserved: usize) -> io::Result<Self> {
        let seals = fcntl(&fd, FcntlArg::F_GET_SEALS)?;
        let there = size(&fd)?;
        if seals & SealFlag::F_SEAL_SHRINK.bits() == 0 || there < len {
            return Err(io::Error::other("this descriptor is no shared memory"));
        }
        Self::map(fd, there, reserved)
    }

    fn map(fd: OwnedFd, len: usize, reserved: usize) -> io::Result<Self> {
        let map = |reserved: usize| {
            let reserved = NonZeroUsize::new(reserved.max(len)).unwrap_or(NonZeroUsize::MIN);
            Mapping::new(&fd, reserved)
        };
        Ok(Self {
            // Addresses can be rationed.
            mapping: map(reserved).or_else(|_| map(reserved >> 8))?,
            fd,
            len: AtomicUsize::new(len),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// How many bytes this process can reach, once they are there.
    pub(crate) fn reserved(&self) -> usize {
        self.mapping.len()
    }

    /// How many bytes there are.
    pub(crate) fn size(&self) -> io::Result<usize> {
        size(&self.fd)
    }

    /// Makes sure that a range has memory.
    pub(crate) fn reserve(&self, at: usize, count: usize) -> io::Result<()> {
        if at + count > self.mapping.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        reserve(&self.fd, at, count)?;
        self.len.fetch_max(at + count, Ordering::Relaxed);
        Ok(())
    }

    /// Gives the memory of a range back to the system; it is zero from now on.
    pub(crate) fn discard(&self, at: usize, count: usize) {
        let punch = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        // Only the saving is lost if the system refuses.
        let _ = fallocate(&self.fd, punch, at as i64, count as i64);
    }

    /// What lies at the beginning: atomics, since all that `Zeroable` and `Sync` allow is shared.
    pub(crate) fn state<T: Zeroable + Sync>(&self) -> &T {
        assert!(self.holds(0, size_of::<T>()) && align_of::<T>() <= 4096);
        // SAFETY: within the mapping and the file, aligned because a mapping begins at a page, valid
        // because it was zero at first and is only changed through a `&T`; it lives as long as `self`.
        unsafe { self.mapping.start().cast().as_ref() }
    }

    /// Copies bytes out. What another process writes meanwhile may be seen in part.
    #[inline]
    pub(crate) fn read(&self, at: usize, into: &mut [u8]) {
        self.check(at, into.len());
        self.mapping.read(at, into);
    }

    /// Copies bytes in; each aligned group of eight is stored at once.
    #[inline]
    pub(crate) fn write(&self, at: usize, from: &[u8]) {
        self.check(at, from.len());
        self.mapping.write(at, from);
    }

    #[inline]
    fn check(&self, at: usize, count: usize) {
        assert!(self.holds(at, count), "beyond the end of shared memory");
    }

    #[inline]
    fn holds(&self, at: usize, count: usize) -> bool {
        let Some(end) = at
            .checked_add(count)
            .filter(|&end| end <= self.mapping.len())
        else {
            return false;
        };
        end <= self.len.load(Ordering::Relaxed) || self.has_grown_to(end)
    }

    /// Whether another process has made it grow.
    #[cold]
    fn has_grown_to(&self, end: usize) -> bool {
        self.len.store(self.size().unwrap_or(0), Ordering::Relaxed);
        end <= self.len.load(Ordering::Relaxed)
    }
}

/// Has the system find the memory now: later it could only kill the process.
fn reserve(fd: &OwnedFd, at: usize, count: usize) -> io::Result<()> {
    let (at, count) = (to_offset(at)?, to_offset(count.max(1))?);
    Ok(fallocate(fd, FallocateFlags::empty(), at, count)?)
}

fn to_offset(bytes: usize) -> io::Result<i64> {
    i64::try_from(bytes).map_err(|_| io::ErrorKind::StorageFull.into())
}

fn size(fd: &OwnedFd) -> io::Result<usize> {
    let status = nix::sys::stat::fstat(fd)?;
    Ok(status.st_size as usize)
}
