//! Writes pickles.

use std::io::Write;

use serde::Serialize;

use crate::encoder::Encoder;
use crate::identity::Identities;
use crate::{DEFAULT_PROTOCOL, Error, HIGHEST_PROTOCOL, PicklingError, to_object};

/// Writes objects to a writer, one after the other: Python's `Pickler`.
///
/// The bytes are those that CPython's own pickler writes for the same graph of objects, in protocols
/// 2 to 5.
///
/// ```
/// use hilos_pickle::Pickler;
///
/// let mut pickler = Pickler::new(Vec::new()).with_protocol(2);
/// pickler.dump(&("a", 1))?;
/// assert_eq!(pickler.into_inner(), b"\x80\x02X\x01\x00\x00\x00aq\x00K\x01\x86q\x01.");
/// # Ok::<(), hilos_pickle::PicklingError>(())
/// ```
///
/// # Differences from Python
///
/// Protocols 0 and 1 are read, but not written. An object that other threads change meanwhile is
/// written as some mixture of what it was and became.
///
/// CPython: [`pickle.Pickler`](https://docs.python.org/3.14/library/pickle.html#pickle.Pickler)
pub struct Pickler<W> {
    writer: W,
    protocol: u8,
    memo: Identities,
}

impl<W: Write> Pickler<W> {
    /// A pickler of protocol [`DEFAULT_PROTOCOL`].
    pub fn new(writer: W) -> Self {
        Self {
            writer,
            protocol: DEFAULT_PROTOCOL,
            memo: Identities::default(),
        }
    }

    /// Chooses the protocol, from 2 to [`HIGHEST_PROTOCOL`]; dumping with another one is an error.
    #[must_use]
    pub fn with_protocol(mut self, protocol: u8) -> Self {
        self.protocol = protocol;
        self
    }

    /// Writes a value in one call. An object that was written before is only referred to, so that the
    /// same number of [`load`](crate::Unpickler::load)s of one unpickler gives the same graph.
    ///
    /// # Errors
    ///
    /// If the protocol cannot write the value, or the writer fails.
    ///
    /// # Blocking
    ///
    /// As long as the writer does, and while other threads use a container of the value.
    pub fn dump<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PicklingError> {
        check(self.protocol)?;
        // As a whole first, so that a value that fails is not remembered.
        let object = to_object(value)?;
        let mut encoder = Encoder::new(self.protocol, &mut self.memo, true);
        encoder.whole(&object, 0)?;
        Ok(self.writer.write_all(&encoder.finish())?)
    }

    /// Forgets what was written: objects come whole again.
    pub fn clear_memo(&mut self) {
        self.memo.clear();
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.writer
    }
}

/// Fails for a protocol that is not written.
pub(crate) fn check(protocol: u8) -> Result<(), PicklingError> {
    let complaint = match protocol {
        2..=HIGHEST_PROTOCOL => return Ok(()),
        0..2 => "pickle protocols 0 and 1 are only read".to_owned(),
        _ => format!("pickle protocol must be <= {HIGHEST_PROTOCOL}"),
    };
    Err(Error::ValueError(complaint).into())
}
