//! Reads pickles.

use std::io::BufRead;

use crate::literal::Encoding;
use crate::machine::Machine;
use crate::room::Room;
use crate::source::{Slice, Stream};
use crate::{Object, UnpicklingError};

/// Reads pickles from a reader, one after the other: Python's `Unpickler`.
///
/// All protocols can be read. Nothing is imported and nothing is called: classes and functions stay
/// names, and their objects [instances](crate::Instance) that say how to make them. Input that is no
/// pickle is an error, found with memory in proportion to the input.
///
/// ```
/// use hilos_pickle::{Object, Unpickler};
///
/// let mut unpickler = Unpickler::new(b"I1\n.I2\n.".as_slice());
/// assert_eq!(unpickler.load()?, Object::from(1));
/// assert_eq!(unpickler.load()?, Object::from(2));
/// assert!(unpickler.load().unwrap_err().is_eof());
/// # Ok::<(), hilos_pickle::UnpicklingError>(())
/// ```
///
/// # Differences from Python
///
/// There are no persistent ids, extension codes or out-of-band buffers: pickles that use them are
/// errors.
///
/// CPython: [`pickle.Unpickler`](https://docs.python.org/3.14/library/pickle.html#pickle.Unpickler)
pub struct Unpickler<R> {
    reader: R,
    room: Room,
    encoding: Encoding,
}

impl<R: BufRead> Unpickler<R> {
    /// An unpickler of what the reader gives; nothing after a pickle is taken from it.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            room: Room::default(),
            encoding: Encoding::Ascii,
        }
    }

    /// How to read the 8-bit strings of Python 2, by default as ASCII.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The next object. It may refer to objects that came before, as a [`Pickler`](crate::Pickler)
    /// does that dumps several.
    ///
    /// # Errors
    ///
    /// [`is_eof`](UnpicklingError::is_eof) at the end of the input; otherwise what is wrong with the
    /// pickle, or with the reader.
    ///
    /// # Blocking
    ///
    /// As long as the reader does.
    pub fn load(&mut self) -> Result<Object, UnpicklingError> {
        let source = Stream::new(&mut self.reader);
        let mut machine = Machine::new(source, std::mem::take(&mut self.room), self.encoding);
        let result = machine.run();
        self.room = machine.into_room();
        self.room.clear_stack();
        result
    }
}

/// The object of a pickle in memory; what follows it is ignored.
pub(crate) fn load_slice(data: &[u8]) -> Result<Object, UnpicklingError> {
    let mut machine = Machine::new(Slice(data), Room::spare(), Encoding::Ascii);
    let result = machine.run();
    if result.is_err() {
        // What holds itself would never be freed.
        machine.break_cycles();
    }
    machine.into_room().keep();
    result
}
