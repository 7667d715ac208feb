//! `multiprocessing.shared_memory.ShareableList`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::layout::{Format, Layout};
use super::{Item, SharedMemory};
use crate::error::Error;

/// A list of a fixed length in a block of shared memory.
///
/// Use it for a few values of different types that several processes, also Python programs, read
/// and change. Each item keeps its place: a text may be replaced by one that fits, a number by
/// anything that has at most eight bytes. A handle, like [`SharedMemory`]: clones are the same list,
/// and travel to other processes.
///
/// It has no lock: who changes items while others read them may have them see half a change.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::shared_memory::{Item, ShareableList};
///
/// let list = ShareableList::new([Item::from("howdy"), (-273.154).into(), 100.into(), Item::None])?;
/// list.set(2, 42)?;
/// list.set(0, "hola")?;
/// assert_eq!(list.get(-2)?, 42.into());
/// assert_eq!(list.format()?, "8sdqxxxxxx?x");
/// assert!(list.set(0, "much too long").is_err());
///
/// let same = ShareableList::open(list.shm().name())?;
/// assert_eq!(same.to_vec()?, list.to_vec()?);
/// list.shm().unlink()?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `list[i]` is [`get`](Self::get), `list[i] = x` is [`set`](Self::set); an `int` has 64 bits.
/// - What a block holds is checked when it is opened and at each access: garbage is an error.
///
/// As in CPython a text's place is made for as many bytes as it has characters, so that a new list
/// cuts a text whose UTF-8 is longer; and zeros at the end of a text or of bytes are not kept.
/// Lists of CPython 3.8, whose layout was another, are not read.
///
/// Mirrors [`multiprocessing.shared_memory.ShareableList`](https://docs.python.org/3.14/library/multiprocessing.shared_memory.html#multiprocessing.shared_memory.ShareableList).
#[derive(Clone)]
pub struct ShareableList {
    shm: SharedMemory,
    layout: Arc<Layout>,
}

impl ShareableList {
    /// Puts items into a new block, under a name that nobody uses yet.
    ///
    /// # Errors
    /// [`Error::Value`] if a text has more than 9,999,991 characters; [`Error::Os`] if the system has
    /// not enough memory.
    pub fn new<I: IntoIterator<Item: Into<Item>>>(sequence: I) -> Result<Self, Error> {
        Self::with_block(sequence, SharedMemory::create)
    }

    /// Puts items into a new block under this name; Python's `name=`.
    ///
    /// # Errors
    /// Those of [`new`](Self::new) and of [`SharedMemory::create_named`].
    pub fn new_named<I>(name: &str, sequence: I) -> Result<Self, Error>
    where
        I: IntoIterator<Item: Into<Item>>,
    {
        Self::with_block(sequence, |size| SharedMemory::create_named(name, size))
    }

    /// Opens the list in the block of this name.
    ///
    /// # Errors
    /// Those of [`SharedMemory::open`], and [`Error::Value`] if the block holds no list.
    pub fn open(name: &str) -> Result<Self, Error> {
        Self::from_block(SharedMemory::open(name)?)
    }

    fn with_block<I, F>(sequence: I, create: F) -> Result<Self, Error>
    where
        I: IntoIterator<Item: Into<Item>>,
        F: FnOnce(usize) -> Result<SharedMemory, Error>,
    {
        let items: Vec<Item> = sequence.into_iter().map(Into::into).collect();
        let layout = Layout::of(&items)?;
        let shm = create(layout.size())?;
        let buffer = shm.buf()?;
        layout.write(&buffer)?;
        for (position, item) in items.iter().enumerate() {
            layout.write_item(&buffer, position, item, Format::of(item, None))?;
        }
        let layout = Arc::new(layout);
        Ok(Self { shm, layout })
    }

    fn from_block(shm: SharedMemory) -> Result<Self, Error> {
        let layout = Arc::new(Layout::read(&shm.buf()?)?);
        Ok(Self { shm, layout })
    }

    /// The block that the list lies in, to be closed and unlinked.
    pub fn shm(&self) -> &SharedMemory {
        &self.shm
    }

    /// How many items there are, always.
    pub fn len(&self) -> usize {
        self.layout.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `position`; a negative one counts from the end.
    ///
    /// # Errors
    /// [`Error::Index`] if there is none; [`Error::Value`] if the block is closed, or if others have
    /// written there what is no item.
    pub fn get(&self, position: isize) -> Result<Item, Error> {
        let position = self.position(position)?;
        self.layout.read_item(&self.shm.buf()?, position)
    }

    /// Replaces the item at `position`, also by one of another type.
    ///
    /// # Errors
    /// [`Error::Value`] if a text or bytes are longer than the item's place, which is left as it was;
    /// otherwise as [`get`](Self::get).
    pub fn set<V: Into<Item>>(&self, position: isize, value: V) -> Result<(), Error> {
        let (position, value) = (self.position(position)?, value.into());
        let buffer = self.shm.buf()?;
        let place = self.layout.data(position).len();
        let length = match &value {
            Item::Str(text) => text.len(),
            Item::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        if length > place {
            let text = "bytes/str item exceeds available storage";
            return Err(Error::Value(text.into()));
        }
        let format = Format::of(&value, Some(place));
        self.layout.write_item(&buffer, position, &value, format)
    }

    /// How often an equal item occurs.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn count<V: Into<Item>>(&self, value: V) -> Result<usize, Error> {
        let value = value.into();
        Ok(self.to_vec()?.iter().filter(|item| **item == value).count())
    }

    /// The position of the first item that is equal.
    ///
    /// # Errors
    /// [`Error::Value`] if there is none; otherwise as [`get`](Self::get).
    pub fn index<V: Into<Item>>(&self, value: V) -> Result<usize, Error> {
        let value = value.into();
        for (position, item) in self.iter().enumerate() {
            if item? == value {
                return Ok(position);
            }
        }
        Err(Error::Value(format!("{value} not in this container")))
    }

    /// The formats of all items, in the letters of Python's `struct`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn format(&self) -> Result<String, Error> {
        let buffer = self.shm.buf()?;
        let format = |position| {
            let format = self.layout.read_format(&buffer, position)?;
            Ok(format.to_string())
        };
        (0..self.len()).map(format).collect()
    }

    /// The items one after the other, each read when it is asked for.
    pub fn iter(&self) -> impl Iterator<Item = Result<Item, Error>> + '_ {
        let item = |position| self.layout.read_item(&self.shm.buf()?, position);
        (0..self.len()).map(item)
    }

    /// All items: Python's `list(sl)`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn to_vec(&self) -> Result<Vec<Item>, Error> {
        self.iter().collect()
    }

    fn position(&self, position: isize) -> Result<usize, Error> {
        let position = match position {
            0.. => Some(position as usize),
            _ => self.len().checked_add_signed(position),
        };
        position
            .filter(|&position| position < self.len())
            .ok_or(Error::Index)
    }
}

/// It travels by its name, as in Python.
impl Serialize for ShareableList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shm.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ShareableList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shm = SharedMemory::deserialize(deserializer)?;
        Self::from_block(shm).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for ShareableList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = super::item::quoted(self.shm.name());
        match self.to_vec() {
            Ok(items) => {
                let items: Vec<String> = items.iter().map(Item::to_string).collect();
                write!(f, "ShareableList([{}], name={name})", items.join(", "))
            }
            Err(error) => write!(f, "ShareableList(<{error}>, name={name})"),
        }
    }
}

impl fmt::Debug for ShareableList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
