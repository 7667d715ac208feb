//! State that processes share, and how it travels between them.

use std::fmt;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Zeroable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;
use crate::reduction::{TravellingFd, serialize_fd};
use crate::sys::shared::Shared;

/// A handle of a `T` in shared memory, with room for more behind it.
///
/// Clones, and what arrives in another process, are handles of the same `T`.
pub(crate) struct Handle<T> {
    memory: Arc<Shared>,
    state: PhantomData<fn() -> T>,
}

impl<T: Zeroable + Sync> Handle<T> {
    /// How many addresses a handle takes, for what can grow.
    const RESERVED: usize = 0;

    /// Creates a `T` that is all zero.
    pub(crate) fn new() -> Result<Self, Error> {
        Self::with_room(size_of::<T>(), Self::RESERVED)
    }

    /// Creates a `T` in `len` bytes of memory that can grow to `reserved`.
    pub(crate) fn with_room(len: usize, reserved: usize) -> Result<Self, Error> {
        Ok(Self::over(Shared::new(len.max(size_of::<T>()), reserved)?))
    }

    /// Goes on with a descriptor that has arrived from another process.
    pub(crate) fn arrived(fd: TravellingFd, reserved: usize) -> Result<Self, Error> {
        Ok(Self::over(Shared::open(fd.0, size_of::<T>(), reserved)?))
    }

    fn over(memory: Shared) -> Self {
        Self {
            memory: Arc::new(memory),
            state: PhantomData,
        }
    }

    /// The memory, of which the `T` is the beginning.
    pub(crate) fn memory(&self) -> &Shared {
        &self.memory
    }
}

impl<T: Zeroable + Sync> Deref for Handle<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.memory.state()
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self {
            memory: self.memory.clone(),
            state: PhantomData,
        }
    }
}

impl<T> Serialize for Handle<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_fd(self.memory.fd(), serializer)
    }
}

impl<'de, T: Zeroable + Sync> Deserialize<'de> for Handle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fd = TravellingFd::deserialize(deserializer)?;
        Self::arrived(fd, Self::RESERVED).map_err(serde::de::Error::custom)
    }
}

impl<T: Zeroable + Sync + fmt::Debug> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
