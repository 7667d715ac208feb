//! Vectors of plain numbers, and bytes: the values that travel as they lie in memory.

use std::any::TypeId;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::os::fd::{AsRawFd, OwnedFd};

use bytemuck::{Pod, cast_slice};
use nix::errno::Errno;

/// How many elements `value` has, and their bytes, if it is a vector whose encoding is just that.
pub(crate) fn as_bytes<T: ?Sized>(value: &T) -> Option<(usize, &[u8])> {
    if cfg!(target_endian = "big") {
        return None;
    }
    let bytes = bytes_of::<T, u8>(value).or_else(|| bytes_of::<T, f64>(value));
    bytes.or_else(|| bytes_of::<T, f32>(value))
}

fn bytes_of<T: ?Sized, P: Pod>(value: &T) -> Option<(usize, &[u8])> {
    // SAFETY: the two types are one, so that the reference means what it did.
    let numbers = is_vec::<T, P>().then(|| unsafe { &*(&raw const *value).cast::<Vec<P>>() });
    numbers.map(|numbers| (numbers.len(), cast_slice(numbers)))
}

/// Whether `T` is a vector of `P`.
pub(crate) fn is_vec<T: ?Sized, P: 'static>() -> bool {
    trait Identified {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T: ?Sized> Identified for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let phantom = &PhantomData::<T> as &dyn Identified;
    // SAFETY: only the lifetime changes, of an object that holds nothing. What `id` returns does not
    // depend on lifetimes, and a vector of a type without any is no other type with one.
    let phantom =
        unsafe { mem::transmute::<&dyn Identified, &(dyn Identified + 'static)>(phantom) };
    phantom.id() == TypeId::of::<Vec<P>>()
}

/// The vector as `T`, which must be its type.
pub(crate) fn from_vec<T, P: 'static>(numbers: Vec<P>) -> T {
    assert!(is_vec::<T, P>());
    let numbers = ManuallyDrop::new(numbers);
    // SAFETY: the two types are one, and the original is neither used nor dropped afterwards.
    unsafe { mem::transmute_copy::<Vec<P>, T>(&numbers) }
}

/// A vector while its bytes arrive, one after the other and in any portions.
pub(crate) struct Landing<P> {
    /// Those elements that made room for the rest; what has come after them lies beyond its length.
    numbers: Vec<P>,
    /// How many bytes of the vector's memory have come.
    filled: usize,
    /// How many it will be.
    total: usize,
}

impl<P: Pod> Landing<P> {
    /// How much memory a message gets before its bytes have come: its length may be a lie.
    const TRUSTED: usize = 16 << 20;

    /// Begins a vector of `count` elements, whose first bytes are there.
    pub(crate) fn new(count: usize, bytes: &[u8]) -> Self {
        let total = count * size_of::<P>();
        let first = Self::TRUSTED.max(bytes.len()).min(total);
        let mut numbers = Vec::<P>::with_capacity(first.div_ceil(size_of::<P>()));
        assert!(bytes.len() <= numbers.capacity() * size_of::<P>());
        // SAFETY: the vector has room for as many bytes, and is new memory.
        unsafe {
            numbers
                .as_mut_ptr()
                .cast::<u8>()
                .copy_from(bytes.as_ptr(), bytes.len())
        };
        Self {
            numbers,
            filled: bytes.len(),
            total,
        }
    }

    /// How many bytes are there.
    pub(crate) fn filled(&self) -> usize {
        self.filled
    }

    /// Reads what has come, at most what is missing; returns how many bytes that was.
    pub(crate) fn read(&mut self, fd: &OwnedFd) -> nix::Result<usize> {
        let room = self.room();
        // SAFETY: `room` says how many bytes of the vector's memory follow those that are filled.
        let count = unsafe {
            let place = self.numbers.as_mut_ptr().cast::<u8>().add(self.filled);
            libc::read(fd.as_raw_fd(), place.cast(), room)
        };
        let count = Errno::result(count)? as usize;
        self.filled += count;
        Ok(count)
    }

    /// How many more bytes the vector can take at once, after it has grown if it must.
    fn room(&mut self) -> usize {
        let capacity = self.numbers.capacity() * size_of::<P>();
        if self.filled == capacity && self.filled < self.total {
            let more = (self.total - self.filled).min(self.filled);
            self.land();
            self.numbers.reserve_exact(more.div_ceil(size_of::<P>()));
        }
        let capacity = self.numbers.capacity() * size_of::<P>();
        capacity.min(self.total).saturating_sub(self.filled)
    }

    /// Makes those elements part of the vector that have come whole.
    fn land(&mut self) {
        // SAFETY: so many elements are filled, and any bytes are a number.
        unsafe { self.numbers.set_len(self.filled / size_of::<P>()) };
    }

    /// The bytes that have come.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        // SAFETY: so many bytes of the vector's memory have been written.
        unsafe { std::slice::from_raw_parts(self.numbers.as_ptr().cast(), self.filled) }
    }

    /// The vector of what has come.
    pub(crate) fn finish(mut self) -> Vec<P> {
        self.land();
        self.numbers
    }
}
