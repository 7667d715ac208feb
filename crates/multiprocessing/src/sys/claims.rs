//! A number that two processes share: how far a worker has got with what it was given.
//!
//! Tasks are numbered 1, 2, 3 …; the number is that of the last one that has begun. Whoever moves
//! it on owns the tasks that it passes: the worker by one, to begin a task, or the pool by all that
//! it has sent, to take back those that have not begun. The memory outlives the worker.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// The shared number, in this process.
#[derive(Debug)]
pub(crate) struct Claims {
    place: NonNull<AtomicU64>,
}

// SAFETY: the place holds an atomic number and nothing else, and stays mapped as long as the value
// lives; any thread may use it and unmap it.
unsafe impl Send for Claims {}
// SAFETY: as above.
unsafe impl Sync for Claims {}

const SIZE: usize = size_of::<AtomicU64>();

impl Claims {
    /// Makes the number, and the descriptor by which another process opens it.
    pub(crate) fn new() -> io::Result<(Self, OwnedFd)> {
        // SAFETY: the name ends in NUL; the call returns a descriptor that is nobody else's.
        let fd = unsafe { libc::memfd_create(c"hilos-claims".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, and owned by nobody.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: takes two numbers.
        if unsafe { libc::ftruncate(fd.as_raw_fd(), SIZE as libc::off_t) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((Self::open(&fd)?, fd))
    }

    /// Opens the number that another process has made.
    pub(crate) fn open(fd: &OwnedFd) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: asks for a new mapping at a place of the kernel's choice.
        let place = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                SIZE,
                access,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        match NonNull::new(place.cast::<AtomicU64>()) {
            Some(place) if place.as_ptr().cast() != libc::MAP_FAILED => Ok(Self { place }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Begins the task `number`; `false` if it was taken back.
    pub(crate) fn begin(&self, number: u64) -> bool {
        let claimed = self.number().compare_exchange(
            number - 1,
            number,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        claimed.is_ok()
    }

    /// The last task that has begun or was taken back.
    pub(crate) fn begun(&self) -> u64 {
        self.number().load(Ordering::Relaxed)
    }

    /// Takes back the tasks up to `last` that have not begun; returns the last one that has.
    pub(crate) fn take_back(&self, last: u64) -> u64 {
        self.number().swap(last, Ordering::Relaxed)
    }

    fn number(&self) -> &AtomicU64 {
        // SAFETY: a page begins here, which is aligned, zeroed when it was made, and mapped until
        // this value is dropped; every process uses it as an atomic number.
        unsafe { self.place.as_ref() }
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own.
        unsafe { libc::munmap(self.place.as_ptr().cast(), SIZE) };
    }
}
