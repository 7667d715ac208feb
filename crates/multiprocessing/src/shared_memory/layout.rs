//! Where a `ShareableList` keeps what, as CPython 3.9 and later do.
//!
//! N items lie in a block as: N, N + 1 offsets into the data, the data, N formats of eight
//! characters, N codes of one byte. Numbers and offsets have eight bytes, in the machine's order.

use std::ops::Range;

use super::{Buffer, Item};
use crate::error::Error;

const WORD: usize = 8;

/// Where the items of one list are.
#[derive(Debug)]
pub(super) struct Layout {
    /// Where in the data each item begins, and where the last one ends.
    offsets: Vec<usize>,
}

impl Layout {
    /// The layout of a new list.
    ///
    /// # Errors
    /// [`Error::Value`] if an item is too long for a format of eight characters.
    pub(super) fn of(items: &[Item]) -> Result<Self, Error> {
        let mut offsets = vec![0];
        let mut end = 0;
        for item in items {
            let format = Format::of(item, None);
            if format.to_string().len() > WORD {
                let text = "a str or bytes item of a ShareableList has at most 9999991 characters";
                return Err(Error::Value(text.into()));
            }
            end += format.size();
            offsets.push(end);
        }
        Ok(Self { offsets })
    }

    /// The layout of the list that a block holds.
    ///
    /// # Errors
    /// [`Error::Value`] if it holds none.
    pub(super) fn read(buffer: &Buffer) -> Result<Self, Error> {
        Self::read_numbers(buffer)
            .filter(|list| list.offsets.is_sorted() && list.size() <= buffer.len())
            .ok_or_else(|| Error::Value("the block holds no ShareableList".into()))
    }

    fn read_numbers(buffer: &Buffer) -> Option<Self> {
        let number = |at: usize| usize::try_from(buffer.get::<i64>(at).ok()?).ok();
        let count = number(0)?;
        // Each item takes more than this, so that a wrong number is no reason to look further.
        let places = (count < buffer.len() / WORD).then(|| 1..=count + 1)?;
        let offsets = places.map(|place| number(place * WORD).filter(|&end| end <= buffer.len()));
        Some(Self {
            offsets: offsets.collect::<Option<_>>()?,
        })
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many bytes all takes.
    pub(super) fn size(&self) -> usize {
        self.code(self.len())
    }

    /// The item's own bytes.
    pub(super) fn data(&self, item: usize) -> Range<usize> {
        let start = WORD * (self.len() + 2);
        start + self.offsets[item]..start + self.offsets[item + 1]
    }

    fn format(&self, item: usize) -> usize {
        WORD * (self.len() + 2 + item) + self.offsets[self.len()]
    }

    fn code(&self, item: usize) -> usize {
        self.format(self.len()) + item
    }

    /// Writes what tells others where the items are.
    pub(super) fn write(&self, buffer: &Buffer) -> Result<(), Error> {
        buffer.set(0, self.len() as i64)?;
        for (place, &offset) in (1..).zip(&self.offsets) {
            buffer.set(place * WORD, offset as i64)?;
        }
        Ok(())
    }

    /// The format of an item, of the letters that Python's `struct` uses.
    pub(super) fn read_format(&self, buffer: &Buffer, item: usize) -> Result<Format, Error> {
        let text: [u8; WORD] = buffer.get(self.format(item))?;
        Format::parse(&text).ok_or_else(corrupt)
    }

    pub(super) fn read_item(&self, buffer: &Buffer, item: usize) -> Result<Item, Error> {
        let format = self.read_format(buffer, item)?;
        let code: u8 = buffer.get(self.code(item))?;
        let at = self.data(item).start;
        if format.size() > buffer.len() - at {
            return Err(corrupt());
        }
        let mut bytes = vec![0; format.size()];
        buffer.read(at, &mut bytes)?;
        format.unpack(bytes, code)
    }

    pub(super) fn write_item(
        &self,
        buffer: &Buffer,
        item: usize,
        value: &Item,
        format: Format,
    ) -> Result<(), Error> {
        let place = self.data(item);
        if format.size() > place.len() {
            return Err(corrupt());
        }
        let mut text = format.to_string().into_bytes();
        text.resize(WORD, 0);
        buffer.write(self.format(item), &text)?;
        buffer.set(self.code(item), code(value))?;
        buffer.write(place.start, &format.pack(value))
    }
}

fn corrupt() -> Error {
    Error::Value("the ShareableList is damaged".into())
}

/// What tells texts, bytes and `None` apart from the rest.
fn code(item: &Item) -> u8 {
    match item {
        Item::Bool(_) | Item::Int(_) | Item::Float(_) => 0,
        Item::Str(_) => 1,
        Item::Bytes(_) => 2,
        Item::None => 3,
    }
}

/// How an item's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Int,
    Float,
    Bool,
    None,
    /// Bytes or UTF-8, padded with zeros to this size.
    Text(usize),
}

impl Format {
    /// The format of an item; `room` is that of a text's place, if it has one already.
    pub(super) fn of(item: &Item, room: Option<usize>) -> Self {
        // CPython counts a text's characters, not its bytes.
        let text = |length: usize| Self::Text(room.unwrap_or(WORD * (length / WORD + 1)));
        match item {
            Item::None => Self::None,
            Item::Bool(_) => Self::Bool,
            Item::Int(_) => Self::Int,
            Item::Float(_) => Self::Float,
            Item::Str(string) => text(string.chars().count()),
            Item::Bytes(bytes) => text(bytes.len()),
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim_end_matches('\0');
        Some(match text {
            "q" => Self::Int,
            "d" => Self::Float,
            "xxxxxxx?" => Self::Bool,
            "xxxxxx?x" => Self::None,
            _ => Self::Text(text.strip_suffix('s')?.parse().ok()?),
        })
    }

    fn size(self) -> usize {
        match self {
            Self::Text(size) => size,
            _ => WORD,
        }
    }

    /// The item's bytes: a text that is too long is cut.
    fn pack(self, item: &Item) -> Vec<u8> {
        let mut bytes = match item {
            Item::None => Vec::new(),
            Item::Bool(value) => vec![0, 0, 0, 0, 0, 0, 0, (*value).into()],
            Item::Int(value) => value.to_ne_bytes().to_vec(),
            Item::Float(value) => value.to_ne_bytes().to_vec(),
            Item::Str(string) => string.clone().into_bytes(),
            Item::Bytes(bytes) => bytes.clone(),
        };
        bytes.resize(self.size(), 0);
        bytes
    }

    fn unpack(self, mut bytes: Vec<u8>, code: u8) -> Result<Item, Error> {
        let word = || bytes[..WORD].try_into().expect("eight bytes");
        match (self, code) {
            (Self::None, _) | (_, 3) => return Ok(Item::None),
            (Self::Int, _) => return Ok(Item::Int(i64::from_ne_bytes(word()))),
            (Self::Float, _) => return Ok(Item::Float(f64::from_ne_bytes(word()))),
            (Self::Bool, _) => return Ok(Item::Bool(bytes[WORD - 1] != 0)),
            (Self::Text(_), _) => {}
        }
        let length = bytes.iter().rposition(|&byte| byte != 0);
        bytes.truncate(length.map_or(0, |last| last + 1));
        if code != 1 {
            return Ok(Item::Bytes(bytes));
        }
        let text = String::from_utf8(bytes);
        Ok(Item::Str(text.map_err(|error| {
            Error::Value(format!("'utf-8' codec can't decode bytes: {error}"))
        })?))
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int => f.write_str("q"),
            Self::Float => f.write_str("d"),
            Self::Bool => f.write_str("xxxxxxx?"),
            Self::None => f.write_str("xxxxxx?x"),
            Self::Text(size) => write!(f, "{size}s"),
        }
    }
}
