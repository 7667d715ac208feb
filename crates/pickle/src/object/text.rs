//! Python's str: Unicode that may hold lone surrogates.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Object;

/// An immutable text, Python's `str`; cloning it gives another handle to the same one.
///
/// Python's text may hold halves of surrogate pairs, which a Rust `str` cannot; such text has no
/// [`as_str`](Self::as_str).
///
/// ```
/// use hilos_pickle::{loads, Object, Str};
///
/// assert_eq!(Str::from("año").as_str(), Some("año"));
/// let Object::Str(lone) = loads(b"\x80\x04\x8c\x03\xed\xa0\x80.")? else { panic!() };
/// assert_eq!(lone.as_str(), None);
/// assert_eq!(format!("{lone:?}"), r"'\ud800'");
/// # Ok::<(), hilos_pickle::UnpicklingError>(())
/// ```
///
/// `Display` prints the text, with U+FFFD for a lone surrogate; `Debug` prints Python's repr.
///
/// CPython: [`str`](https://docs.python.org/3.14/library/stdtypes.html#text-sequence-type-str)
#[derive(Clone)]
pub struct Str(Text);

#[derive(Clone)]
enum Text {
    Utf8(Arc<str>),
    /// UTF-8, but with at least one lone surrogate, in three bytes as if it were a character.
    Wtf8(Arc<[u8]>),
}

impl Str {
    /// The text from UTF-8 in which surrogates are characters, as Python's `surrogatepass` reads it.
    #[inline]
    pub(crate) fn from_wtf8(bytes: &[u8]) -> Option<Self> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Self(Text::Utf8(Arc::from(text)))),
            Err(_) => is_wtf8(bytes).then(|| Self(Text::Wtf8(Arc::from(bytes)))),
        }
    }

    /// The text as Rust has it, unless it holds a lone surrogate.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Text::Utf8(text) => Some(text),
            Text::Wtf8(_) => None,
        }
    }

    /// The text as UTF-8, in which a lone surrogate has the three bytes that a character would have.
    #[inline]
    pub fn as_wtf8(&self) -> &[u8] {
        match &self.0 {
            Text::Utf8(text) => text.as_bytes(),
            Text::Wtf8(bytes) => bytes,
        }
    }

    /// How many code points the text has, Python's `len`.
    pub fn len(&self) -> usize {
        let bytes = self.as_wtf8().iter();
        bytes.filter(|&&byte| byte & 0xc0 != 0x80).count()
    }

    /// Whether there is no character.
    pub fn is_empty(&self) -> bool {
        self.as_wtf8().is_empty()
    }

    /// The code points, of which some may be lone surrogates.
    pub fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        let mut rest = self.as_wtf8();
        std::iter::from_fn(move || {
            let (point, length) = code_point(rest)?;
            rest = &rest[length..];
            Some(point)
        })
    }

    /// Its characters, as iterating over a str gives them; those that are the same are one object.
    pub fn characters(&self) -> impl Iterator<Item = Object> + '_ {
        let mut known: HashMap<&[u8], Object> = HashMap::new();
        let characters = self.as_wtf8().chunk_by(|_, next| next & 0xc0 == 0x80);
        characters.map(move |bytes| {
            let new = || Self::from_wtf8(bytes).expect("a whole character").into();
            known.entry(bytes).or_insert_with(new).clone()
        })
    }

    /// How many handles refer to it.
    #[inline]
    pub(crate) fn handles(&self) -> usize {
        match &self.0 {
            Text::Utf8(text) => Arc::strong_count(text),
            Text::Wtf8(bytes) => Arc::strong_count(bytes),
        }
    }

    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.as_wtf8().as_ptr().addr()
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(Text::Utf8(Arc::from(text)))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Text::Utf8(Arc::from(text)))
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_wtf8() == other.as_wtf8()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_wtf8() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl std::hash::Hash for Str {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_wtf8().hash(state);
    }
}

/// By code points, which is the order of the bytes too.
impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_wtf8().cmp(other.as_wtf8())
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Some(text) => f.pad(text),
            None => {
                let points = self.code_points();
                let shown = points.map(|point| char::from_u32(point).unwrap_or('\u{fffd}'));
                f.pad(&shown.collect::<String>())
            }
        }
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::quote::text(self, f)
    }
}

/// The first code point of well-formed text, and its length in bytes.
fn code_point(bytes: &[u8]) -> Option<(u32, usize)> {
    let (&first, rest) = bytes.split_first()?;
    let (length, high) = match first {
        0..0x80 => (1, first),
        0x80..0xe0 => (2, first & 0x1f),
        0xe0..0xf0 => (3, first & 0x0f),
        0xf0.. => (4, first & 0x07),
    };
    let tail = rest[..length - 1].iter();
    let point = tail.fold(u32::from(high), |point, byte| {
        point << 6 | u32::from(byte & 0x3f)
    });
    Some((point, length))
}

/// Whether the bytes are UTF-8 once each surrogate is taken for a character.
fn is_wtf8(mut bytes: &[u8]) -> bool {
    while let Err(error) = std::str::from_utf8(bytes) {
        match &bytes[error.valid_up_to()..] {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, rest @ ..] => bytes = rest,
            _ => return false,
        }
    }
    true
}
