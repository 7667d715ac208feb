//! The bytes of a file that other programs map as well.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

const WORD: usize = size_of::<u64>();

/// A file in memory as this process sees it, until this is dropped.
///
/// Others may write to it at any moment. It is read and written only by whole aligned words and
/// atomically, a part of a word by changing all of it, so that two threads never meet in the same
/// bytes with accesses of different sizes.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<AtomicU64>,
    /// In bytes; the last word may reach beyond, into the rest of its page.
    len: NonZeroUsize,
}

// SAFETY: the addresses belong to this value alone until it is dropped, and what lies there is
// reached through atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes of `file`. The mapping keeps the file's locks.
    pub(crate) fn new<F: AsFd>(file: F, len: NonZeroUsize) -> io::Result<Self> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place that the system chooses, so that it hides no other.
        let start = unsafe { mmap(None, len, protection, MapFlags::MAP_SHARED, file, 0) }?;
        let start = start.cast();
        Ok(Self { start, len })
    }

    /// How many bytes there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    /// Where it begins: at a page.
    #[inline]
    pub(crate) fn start(&self) -> NonNull<AtomicU64> {
        self.start
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping begins at a page and consists of whole pages, so that it is aligned
        // and the last word is in it; any bytes are a value; `AtomicU64` allows for others who
        // write; the borrow of `self` keeps it mapped. That nobody uses the slice of `bytes_mut`
        // meanwhile is what its caller has promised.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len().div_ceil(WORD)) }
    }

    /// The words from the one that holds byte `at` on; panics if `count` bytes are not there.
    #[inline]
    fn words_from(&self, at: usize, count: usize) -> std::slice::Iter<'_, AtomicU64> {
        let end = at.checked_add(count);
        let inside = end.is_some_and(|end| end <= self.len());
        assert!(inside, "beyond the end of the mapping");
        self.words()[at / WORD..].iter()
    }

    /// Copies bytes out, from `at` on, which must be there.
    #[inline]
    pub(crate) fn read(&self, at: usize, into: &mut [u8]) {
        let mut words = self.words_from(at, into.len());
        let mut next = || {
            let word = words.next().expect("the range is inside");
            word.load(Ordering::Relaxed).to_ne_bytes()
        };
        let (head, rest) = into.split_at_mut(head(at, into.len()));
        if !head.is_empty() {
            head.copy_from_slice(&next()[at % WORD..][..head.len()]);
        }
        let mut places = rest.chunks_exact_mut(WORD);
        for place in places.by_ref() {
            place.copy_from_slice(&next());
        }
        let tail = places.into_remainder();
        if !tail.is_empty() {
            tail.copy_from_slice(&next()[..tail.len()]);
        }
    }

    /// Copies bytes in, from `at` on, where there must be room.
    #[inline]
    pub(crate) fn write(&self, at: usize, from: &[u8]) {
        let mut words = self.words_from(at, from.len());
        let mut next = || words.next().expect("the range is inside");
        let (head, rest) = from.split_at(head(at, from.len()));
        if !head.is_empty() {
            store_part(next(), at % WORD, head);
        }
        let mut places = rest.chunks_exact(WORD);
        for place in places.by_ref() {
            let word = place.try_into().expect("a whole word");
            next().store(u64::from_ne_bytes(word), Ordering::Relaxed);
        }
        let tail = places.remainder();
        if !tail.is_empty() {
            store_part(next(), 0, tail);
        }
    }

    /// The bytes themselves.
    ///
    /// # Safety
    /// While the slice lives, nobody else reads or writes the bytes: no other process, no other
    /// mapping of the same file, no other call on this one.
    pub(crate) unsafe fn bytes_mut<'a>(&self) -> &'a mut [u8] {
        // SAFETY: `len` bytes are mapped from `start` on, and any bytes are a value; that nobody
        // else uses them, and that the mapping outlives the slice, is up to the caller.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.len()) }
    }
}

/// How many of `count` bytes from `at` on come before the first whole word.
#[inline]
fn head(at: usize, count: usize) -> usize {
    (at.wrapping_neg() % WORD).min(count)
}

/// Replaces some bytes of a word; a write of the others that happens meanwhile is kept.
#[inline]
fn store_part(word: &AtomicU64, start: usize, part: &[u8]) {
    let _ = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| {
        let mut bytes = old.to_ne_bytes();
        bytes[start..][..part.len()].copy_from_slice(part);
        Some(u64::from_ne_bytes(bytes))
    });
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: these addresses are the mapping's, nothing borrows from it any more, and it is
        // unmapped only here.
        let _ = unsafe { munmap(self.start.cast(), self.len()) };
    }
}

impl crate::shared_memory::Buffer {
    /// The bytes themselves, for code that wants a slice.
    ///
    /// # Safety
    /// While the slice lives, nobody else may read or write the block: no other process, also none
    /// of another language, no other thread, no other handle or buffer of the same block. Locks or
    /// messages have to see to that.
    ///
    /// ```
    /// use hilos_multiprocessing as multiprocessing;
    /// use multiprocessing::shared_memory::SharedMemory;
    ///
    /// let shm = SharedMemory::create(3)?;
    /// let mut buf = shm.buf()?;
    /// // SAFETY: nobody else has been told the name.
    /// unsafe { buf.as_mut_slice() }.copy_from_slice(b"cba");
    /// // SAFETY: as above.
    /// unsafe { buf.as_mut_slice() }.sort();
    /// assert_eq!(buf.to_vec(), b"abc");
    /// shm.unlink()?;
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub unsafe fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: up to the caller; the slice borrows from the buffer, which keeps it mapped.
        unsafe { self.mapping().bytes_mut() }
    }
}
