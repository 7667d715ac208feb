//! `multiprocessing.shared_memory.SharedMemory`.

use std::fmt;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::Pod;
use parking_lot::RwLock;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Buffer, Name, file};
use crate::error::Error;
use crate::resource_tracker::{self as tracker, Block};
use crate::sys::mapping::Mapping;

/// A block of memory with a name, which any process can open.
///
/// Use it for large data that several processes work on, also programs in Python. A handle: clones
/// are the same object, and travel to other processes, which then open the block by its name.
///
/// [`close`](Self::close) ends a process's use of the block, [`unlink`](Self::unlink) its name;
/// one process calls `unlink`, once. If none does, or all are killed, the
/// [`resource_tracker`](crate::resource_tracker) removes the block after the program's end.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::Process;
/// use multiprocessing::shared_memory::SharedMemory;
///
/// fn greet(shm: SharedMemory) -> Result<(), multiprocessing::Error> {
///     shm.write(0, b"howdy")
/// }
///
/// let shm = SharedMemory::create(512)?;
/// let process = Process::new(greet, (shm.clone(),));
/// process.start()?;
/// process.join(None)?;
/// let mut bytes = [0; 5];
/// shm.read(0, &mut bytes)?;
/// assert_eq!(&bytes, b"howdy");
/// shm.close();
/// shm.unlink()?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `SharedMemory(name, create, size, track)` is [`create`](Self::create),
///   [`create_named`](Self::create_named) or [`open`](Self::open), and
///   [`with_track`](Self::with_track).
/// - Opening a block that another program has created never removes it at this program's end, as
///   it does in CPython unless `track=False`; [`with_track(true)`](Self::with_track) adopts it.
/// - A block's memory is taken when it is created: a lack of it is an error, not a `SIGBUS` later.
/// - A program that truncates the file of a block that others use still kills them by `SIGBUS`.
///
/// Mirrors [`multiprocessing.shared_memory.SharedMemory`](https://docs.python.org/3.14/library/multiprocessing.shared_memory.html#multiprocessing.shared_memory.SharedMemory).
#[derive(Clone)]
pub struct SharedMemory {
    inner: Arc<Inner>,
}

struct Inner {
    block: Block,
    size: usize,
    /// Whether the resource tracker removes the block at the end of the program.
    track: AtomicBool,
    /// `None` once it is closed.
    buffer: RwLock<Option<Buffer>>,
}

impl SharedMemory {
    /// Creates a block of `size` bytes, all zero, under a name that nobody uses yet.
    ///
    /// # Errors
    /// [`Error::Value`] if `size` is 0; [`Error::Os`] if the system has not that much memory.
    pub fn create(size: usize) -> Result<Self, Error> {
        Self::create_first_free(Name::random, size)
    }

    /// Creates a block of `size` bytes, all zero, under this name.
    ///
    /// # Errors
    /// [`Error::Os`] of the kind `AlreadyExists`, Python's `FileExistsError`, if the name is in use,
    /// and of the kind `InvalidInput` if it has a slash in it; [`Error::Value`] if it has a NUL in
    /// it; otherwise as [`create`](Self::create).
    pub fn create_named(name: &str, size: usize) -> Result<Self, Error> {
        let name = Name::new(name)?;
        let unnamed = Unnamed::new(size)?;
        let block = unnamed.publish(name)?;
        Ok(Self::with_mapping(block, unnamed.mapping, true))
    }

    /// Opens the block of this name; it has the size that it was created with.
    ///
    /// # Errors
    /// [`Error::Os`] of the kind `NotFound`, Python's `FileNotFoundError`, if there is none.
    pub fn open(name: &str) -> Result<Self, Error> {
        let name = Name::new(name)?;
        let file = file::open(&name).map_err(|error| name.failed(error))?;
        let metadata = file.metadata()?;
        let size = usize::try_from(metadata.len()).ok();
        let Some(size) = size.and_then(NonZeroUsize::new) else {
            return Err(Error::Value("cannot mmap an empty file".into()));
        };
        let mapping = Mapping::new(&file, size).map_err(|error| name.failed(error))?;
        let inode = metadata.ino();
        Ok(Self::with_mapping(Block { name, inode }, mapping, false))
    }

    /// Creates a block under the first name from `names` that nobody uses.
    fn create_first_free<N: FnMut() -> Name>(mut names: N, size: usize) -> Result<Self, Error> {
        let unnamed = Unnamed::new(size)?;
        loop {
            match unnamed.publish(names()) {
                Err(error) if is_taken(&error) => {}
                result => return Ok(Self::with_mapping(result?, unnamed.mapping, true)),
            }
        }
    }

    fn with_mapping(block: Block, mapping: Mapping, track: bool) -> Self {
        let inner = Inner {
            block,
            size: mapping.len(),
            track: AtomicBool::new(track),
            buffer: RwLock::new(Some(Buffer::new(Arc::new(mapping)))),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Says whether the resource tracker removes the block at the end of this program; Python's
    /// `track=`.
    ///
    /// It does so for what this program has created, unless told otherwise, and not for what it has
    /// opened.
    ///
    /// # Errors
    /// [`Error::Os`] if the tracker cannot be started.
    pub fn with_track(self, track: bool) -> Result<Self, Error> {
        match track {
            true => tracker::track(&self.inner.block)?,
            false => tracker::untrack(&self.inner.block),
        }
        self.inner.track.store(track, Ordering::Relaxed);
        Ok(self)
    }

    /// The name by which any process can open the block, without a slash.
    pub fn name(&self) -> &str {
        self.inner.block.name.as_str()
    }

    /// How many bytes the block has.
    pub fn size(&self) -> usize {
        self.inner.size
    }

    /// The bytes; for many accesses in a row, or when the block is closed meanwhile.
    ///
    /// # Errors
    /// [`Error::Value`] if the block is closed.
    pub fn buf(&self) -> Result<Buffer, Error> {
        self.with_buffer(|buffer| Ok(buffer.clone()))
    }

    /// Copies the bytes from `offset` on into `into`: Python's `shm.buf[2:6]`.
    ///
    /// # Errors
    /// [`Error::Index`] if there are not as many; [`Error::Value`] if the block is closed.
    #[inline]
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), Error> {
        self.with_buffer(|buffer| buffer.read(offset, into))
    }

    /// Copies `bytes` to where `offset` says: Python's `shm.buf[2:6] = bytes`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[inline]
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        self.with_buffer(|buffer| buffer.write(offset, bytes))
    }

    /// The value at `offset`, which is in bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[inline]
    pub fn get<T: Pod>(&self, offset: usize) -> Result<T, Error> {
        self.with_buffer(|buffer| buffer.get(offset))
    }

    /// Puts a value at `offset`, which is in bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[inline]
    pub fn set<T: Pod>(&self, offset: usize, value: T) -> Result<(), Error> {
        self.with_buffer(|buffer| buffer.set(offset, value))
    }

    #[inline]
    fn with_buffer<R>(&self, f: impl FnOnce(&Buffer) -> Result<R, Error>) -> Result<R, Error> {
        match &*self.inner.buffer.read() {
            Some(buffer) => f(buffer),
            None => Err(Error::Value("the shared memory is closed".into())),
        }
    }

    /// Ends the use of the block by this handle and its clones in this process; does nothing the
    /// second time. The block lives on. Dropping the last clone does the same.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Takes the block's name away, so that nobody can open it any more; its memory is free when
    /// every process has closed it.
    ///
    /// # Errors
    /// [`Error::Os`] of the kind `NotFound`, Python's `FileNotFoundError`, if it has been unlinked
    /// before.
    pub fn unlink(&self) -> Result<(), Error> {
        let block = &self.inner.block;
        file::unlink(&block.name).map_err(|error| block.name.failed(error))?;
        tracker::untrack(block);
        Ok(())
    }

    /// Unlinks the block unless somebody else has.
    pub(crate) fn unlink_if_there(&self) {
        let block = &self.inner.block;
        if file::is_there(&block.name, block.inode) {
            let _ = self.unlink();
        }
    }
}

impl Inner {
    fn close(&self) {
        let open = self.buffer.write().take();
        if open.is_some() && self.track.load(Ordering::Relaxed) {
            tracker::leave(&self.block);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// A new block that has no name yet.
struct Unnamed {
    file: File,
    inode: u64,
    mapping: Mapping,
}

impl Unnamed {
    fn new(size: usize) -> Result<Self, Error> {
        let Some(size) = NonZeroUsize::new(size) else {
            let text = "'size' must be a positive number different from zero";
            return Err(Error::Value(text.into()));
        };
        let file = file::create(size)?;
        Ok(Self {
            inode: file.metadata()?.ino(),
            mapping: Mapping::new(&file, size)?,
            file,
        })
    }

    fn publish(&self, name: Name) -> Result<Block, Error> {
        let inode = self.inode;
        let block = Block { name, inode };
        // First, so that a process that is killed in between leaves nothing either.
        tracker::track(&block)?;
        if let Err(error) = file::publish(&self.file, &block.name) {
            tracker::untrack(&block);
            return Err(block.name.failed(error));
        }
        Ok(block)
    }
}

fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Os(error) if error.kind() == io::ErrorKind::AlreadyExists)
}

/// It travels by its name, as in Python.
impl Serialize for SharedMemory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.name().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedMemory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::open(&name).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = super::item::quoted(self.name());
        write!(f, "SharedMemory({name}, size={})", self.size())
    }
}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
