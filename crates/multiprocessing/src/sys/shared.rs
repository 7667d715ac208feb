//! Memory that processes share by passing its descriptor.

use std::io;
use std::mem::{align_of, size_of};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

use bytemuck::Zeroable;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// A file in memory, without a name, mapped into this process.
///
/// Other processes may write to it at any moment, so it is only reached through atomics. It can
/// grow, in all processes at once, and never shrinks.
#[derive(Debug)]
pub(crate) struct Shared {
    fd: OwnedFd,
    start: NonNull<u8>,
    /// How many bytes of addresses are taken; the file may be shorter.
    reserved: usize,
    /// How long the file was when this process last looked.
    len: AtomicUsize,
}

// SAFETY: `start` is the mapping's own, and what it points to is reached through atomics alone.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

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
        let reserved = reserved.max(len).max(1);
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let length = reserved.try_into().expect("at least one byte");
        // SAFETY: a new mapping where the system chooses, of a file that cannot shrink.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &fd, 0) }?;
        Ok(Self {
            fd,
            start: start.cast(),
            reserved,
            len: AtomicUsize::new(len),
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// How many bytes there are.
    pub(crate) fn size(&self) -> io::Result<usize> {
        size(&self.fd)
    }

    /// Makes sure that there are `len` bytes.
    pub(crate) fn grow(&self, len: usize) -> io::Result<()> {
        if len > self.reserved {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let current = size(&self.fd)?;
        if current < len {
            reserve(&self.fd, current, len - current)?;
        }
        self.len.store(len.max(current), Ordering::Relaxed);
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
        unsafe { self.start.cast().as_ref() }
    }

    /// Copies bytes out. What another process writes meanwhile may be seen in part.
    #[inline]
    pub(crate) fn read(&self, at: usize, into: &mut [u8]) {
        let (head, words, tail) = self.split(at, into.len());
        let (begin, rest) = into.split_at_mut(head.len());
        let (middle, end) = rest.split_at_mut(8 * words.len());
        for (byte, place) in head.iter().zip(begin).chain(tail.iter().zip(end)) {
            *place = byte.load(Ordering::Relaxed);
        }
        for (word, place) in words.iter().zip(middle.chunks_exact_mut(8)) {
            place.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
    }

    /// Copies bytes in; each aligned group of eight is stored at once.
    #[inline]
    pub(crate) fn write(&self, at: usize, from: &[u8]) {
        let (head, words, tail) = self.split(at, from.len());
        let (begin, rest) = from.split_at(head.len());
        let (middle, end) = rest.split_at(8 * words.len());
        for (byte, place) in head.iter().zip(begin).chain(tail.iter().zip(end)) {
            byte.store(*place, Ordering::Relaxed);
        }
        for (word, place) in words.iter().zip(middle.chunks_exact(8)) {
            let value = u64::from_ne_bytes(place.try_into().expect("eight bytes"));
            word.store(value, Ordering::Relaxed);
        }
    }

    /// A range as bytes up to the first aligned word, words, and the bytes that are left.
    #[inline]
    fn split(&self, at: usize, count: usize) -> (&[AtomicU8], &[AtomicU64], &[AtomicU8]) {
        assert!(self.holds(at, count), "beyond the end of shared memory");
        // SAFETY: within the mapping and the file; bytes have no alignment and any value, and are
        // reached through atomics everywhere.
        let bytes = unsafe {
            std::slice::from_raw_parts(self.start.as_ptr().add(at).cast::<AtomicU8>(), count)
        };
        // SAFETY: eight bytes hold any `u64`; `align_to` sees to the alignment.
        unsafe { bytes.align_to() }
    }

    #[inline]
    fn holds(&self, at: usize, count: usize) -> bool {
        let Some(end) = at.checked_add(count).filter(|&end| end <= self.reserved) else {
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

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the mapping is whole and this value's own; every borrow of it has ended.
        let _ = unsafe { munmap(self.start.cast(), self.reserved) };
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
