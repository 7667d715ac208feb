//! Values on their way to another process: bytes, and descriptors beside them.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// A value as it travels.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
}

thread_local! {
    /// The descriptors of the value that this thread is encoding.
    static LEAVING: RefCell<Option<Vec<OwnedFd>>> = const { RefCell::new(None) };
    /// Whether strangers may read that value on its way.
    static PUBLIC: Cell<bool> = const { Cell::new(false) };
    /// Those of the value that it is decoding.
    static ARRIVING: RefCell<Option<Vec<Option<OwnedFd>>>> = const { RefCell::new(None) };
}

/// Encodes a value, with the descriptors of the queues, connections and locks in it.
pub(crate) fn dumps<T: Serialize + ?Sized>(value: &T) -> Result<Message, Error> {
    let outer = LEAVING.replace(Some(Vec::new()));
    let bytes = postcard::to_allocvec(value);
    let fds = LEAVING.replace(outer).unwrap_or_default();
    Ok(Message {
        bytes: bytes.map_err(Error::encoding::<T>)?,
        fds,
    })
}

/// Encodes a value without the keys in it, for a way on which strangers may read it.
pub(crate) fn dumps_public<T: Serialize + ?Sized>(value: &T) -> Result<Message, Error> {
    let outer = PUBLIC.replace(true);
    let message = dumps(value);
    PUBLIC.set(outer);
    message
}

/// Whether the value that is being encoded must not tell keys.
#[cfg(feature = "pickle")]
pub(crate) fn is_public() -> bool {
    PUBLIC.get()
}

/// Decodes a value that [`dumps`] has encoded.
pub(crate) fn loads<T: DeserializeOwned>(bytes: &[u8], fds: Vec<OwnedFd>) -> Result<T, Error> {
    let outer = ARRIVING.replace(Some(fds.into_iter().map(Some).collect()));
    let value = postcard::from_bytes(bytes);
    ARRIVING.set(outer);
    value.map_err(Error::encoding::<T>)
}

impl Message {
    /// The bytes after the number of descriptors, for a stream that messages share.
    pub(crate) fn counted(&self) -> Vec<u8> {
        let mut count = self.fds.len();
        let mut counted = Vec::with_capacity(self.bytes.len() + 2);
        while count >= 0x80 {
            counted.push(count as u8 | 0x80);
            count >>= 7;
        }
        counted.push(count as u8);
        counted.extend_from_slice(&self.bytes);
        counted
    }
}

/// Undoes [`Message::counted`]; `fds` hands over as many descriptors as the bytes say.
pub(crate) fn take_count(
    mut bytes: Vec<u8>,
    fds: impl FnOnce(usize) -> Vec<OwnedFd>,
) -> Result<Message, Error> {
    let Some(end) = bytes.iter().take(4).position(|byte| byte & 0x80 == 0) else {
        return Err(Error::os("bad message"));
    };
    let digits = bytes.drain(..=end).rev();
    let count = digits.fold(0, |count, digit| count << 7 | usize::from(digit & 0x7f));
    Ok(Message {
        bytes,
        fds: fds(count),
    })
}

/// A descriptor inside a value that travels.
#[derive(Debug)]
pub(crate) struct TravellingFd(pub(crate) OwnedFd);

/// Has a descriptor go along with the value that is being encoded.
pub(crate) fn serialize_fd<S: Serializer>(
    fd: BorrowedFd<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let copy = fd.try_clone_to_owned().map_err(serde::ser::Error::custom)?;
    let place = LEAVING.with_borrow_mut(|fds| {
        let fds = fds.as_mut()?;
        fds.push(copy);
        Some(fds.len() as u32 - 1)
    });
    let refused = "it goes to another process only as an argument of it, or through a Connection";
    serializer.serialize_u32(place.ok_or_else(|| serde::ser::Error::custom(refused))?)
}

impl Serialize for TravellingFd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_fd(self.0.as_fd(), serializer)
    }
}

impl<'de> Deserialize<'de> for TravellingFd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = u32::deserialize(deserializer)? as usize;
        let fd = ARRIVING.with_borrow_mut(|fds| fds.as_mut()?.get_mut(place)?.take());
        fd.map(Self)
            .ok_or_else(|| serde::de::Error::custom("its descriptor did not arrive"))
    }
}

/// A file, a socket or any other descriptor, on its way to another process.
///
/// Use it to hand an open file to a process, as an argument or through a
/// [`Connection`](crate::connection::Connection) that works both ways.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{DupFd, Process};
/// use std::io::Write;
///
/// fn child(file: DupFd) -> std::io::Result<()> {
///     std::fs::File::from(file.detach()).write_all(b"hello")
/// }
///
/// let (mut reader, writer) = std::io::pipe()?;
/// let process = Process::new(child, (DupFd::new(writer),));
/// process.start()?;
/// let mut text = [0; 5];
/// std::io::Read::read_exact(&mut reader, &mut text)?;
/// assert_eq!(&text, b"hello");
/// # process.join(None)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Mirrors `multiprocessing.reduction.DupFd`.
#[derive(Debug, Serialize, Deserialize)]
pub struct DupFd(TravellingFd);

impl DupFd {
    /// A descriptor that is to travel.
    pub fn new<F: Into<OwnedFd>>(fd: F) -> Self {
        Self(TravellingFd(fd.into()))
    }

    /// The descriptor that has arrived.
    pub fn detach(self) -> OwnedFd {
        self.0.0
    }
}
