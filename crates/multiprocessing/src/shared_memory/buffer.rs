//! The bytes of a block.

use std::fmt;
use std::sync::Arc;

use bytemuck::Pod;

use crate::error::Error;
use crate::sys::mapping::Mapping;

/// The bytes of a [`SharedMemory`](super::SharedMemory), as Python's `buf`.
///
/// Other processes may write at any moment. So bytes are copied in and out: what lies in one
/// aligned group of eight bytes is copied at once, more than that may be half old and half new. A
/// lock or a message between the processes says when it is whole.
///
/// The bytes stay reachable while a buffer lives, also after the block is closed and unlinked.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::shared_memory::SharedMemory;
///
/// let shm = SharedMemory::create(24)?;
/// let buf = shm.buf()?;
/// buf.set(0, 2.5)?;
/// buf.write(8, b"hola")?;
/// assert_eq!(buf.get::<f64>(0)?, 2.5);
/// assert_eq!(&buf.to_vec()[8..12], b"hola");
/// shm.unlink()?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `buf[2:6]` is [`read`](Self::read), `buf[2:6] = bytes` is [`write`](Self::write);
///   `struct.unpack_from` and `pack_into` are [`get`](Self::get) and [`set`](Self::set).
/// - A block can be closed while buffers of it exist, where CPython raises `BufferError`.
///
/// Mirrors [`SharedMemory.buf`](https://docs.python.org/3.14/library/multiprocessing.shared_memory.html#multiprocessing.shared_memory.SharedMemory.buf).
#[derive(Clone)]
pub struct Buffer {
    mapping: Arc<Mapping>,
}

impl Buffer {
    pub(super) fn new(mapping: Arc<Mapping>) -> Self {
        Self { mapping }
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// How many bytes there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Copies the bytes from `offset` on into `into`.
    ///
    /// # Errors
    /// [`Error::Index`] if there are not as many; nothing is copied then.
    #[inline]
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), Error> {
        self.check(offset, into.len())?;
        self.mapping.read(offset, into);
        Ok(())
    }

    /// Copies `bytes` to where `offset` says.
    ///
    /// # Errors
    /// [`Error::Index`] if they do not fit; nothing is copied then.
    #[inline]
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        self.check(offset, bytes.len())?;
        self.mapping.write(offset, bytes);
        Ok(())
    }

    /// The value at `offset`, which is in bytes and need not be aligned.
    ///
    /// # Errors
    /// [`Error::Index`] if the block ends before.
    #[inline]
    pub fn get<T: Pod>(&self, offset: usize) -> Result<T, Error> {
        let mut value = T::zeroed();
        self.read(offset, bytemuck::bytes_of_mut(&mut value))?;
        Ok(value)
    }

    /// Puts a value at `offset`, which is in bytes and need not be aligned.
    ///
    /// # Errors
    /// [`Error::Index`] if it does not fit.
    #[inline]
    pub fn set<T: Pod>(&self, offset: usize, value: T) -> Result<(), Error> {
        self.write(offset, bytemuck::bytes_of(&value))
    }

    /// A copy of all the bytes: Python's `bytes(shm.buf)`.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len()];
        self.mapping.read(0, &mut bytes);
        bytes
    }

    #[inline]
    fn check(&self, offset: usize, count: usize) -> Result<(), Error> {
        match offset.checked_add(count) {
            Some(end) if end <= self.len() => Ok(()),
            _ => Err(Error::Index),
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<memory of {} bytes>", self.len())
    }
}
