//! What a `ShareableList` holds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value in a [`ShareableList`](super::ShareableList).
///
/// Two items are equal when Python says so: `True`, `1` and `1.0` are.
///
/// ```
/// use hilos_multiprocessing::shared_memory::Item;
///
/// assert_eq!(Item::from("uno").to_string(), "'uno'");
/// assert_eq!(Item::from(1), Item::from(true));
/// assert_ne!(Item::from("1"), Item::from(1));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Item {
    /// Python's `None`.
    None,
    /// Python's `bool`.
    Bool(bool),
    /// Python's `int`, of 64 bits.
    Int(i64),
    /// Python's `float`.
    Float(f64),
    /// Python's `str`.
    Str(String),
    /// Python's `bytes`.
    Bytes(Vec<u8>),
}

impl Item {
    /// The whole number that this is, if it is one.
    fn integer(&self) -> Option<i64> {
        match self {
            Self::Bool(value) => Some((*value).into()),
            Self::Int(value) => Some(*value),
            Self::Float(value) => {
                // The bounds are exact; beyond them no `i64` is equal.
                let fits = value.fract() == 0.0 && (-LIMIT..LIMIT).contains(value);
                fits.then_some(*value as i64)
            }
            _ => None,
        }
    }
}

/// The first number above all `i64`.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Str(one), Self::Str(other)) => one == other,
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => one == other,
            _ => self.integer().is_some() && self.integer() == other.integer(),
        }
    }
}

/// Python's `repr`.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => f.write_str(&float(*value)),
            Self::Str(text) => f.write_str(&quoted(text)),
            Self::Bytes(bytes) => write!(f, "b{}", quote(&ascii(bytes))),
        }
    }
}

/// A number with the digits that Rust and Python both choose, and Python's exponent.
fn float(value: f64) -> String {
    let text = format!("{value:?}").to_lowercase();
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let digits = digits.trim_end_matches(".0");
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

/// A text as Python writes it into a program.
pub(super) fn quoted(text: &str) -> String {
    quote(&text.chars().map(escaped).collect::<String>())
}

fn escaped(character: char) -> String {
    match character {
        '\\' => r"\\".into(),
        '\n' => r"\n".into(),
        '\r' => r"\r".into(),
        '\t' => r"\t".into(),
        control @ ('\0'..' ' | '\x7f'..='\u{a0}' | '\u{ad}') => {
            format!(r"\x{:02x}", control as u32)
        }
        other => other.into(),
    }
}

fn ascii(bytes: &[u8]) -> String {
    let escaped = |byte: &u8| match byte {
        0x80.. => format!(r"\x{byte:02x}"),
        _ => escaped(char::from(*byte)),
    };
    bytes.iter().map(escaped).collect()
}

/// In single quotes, unless only those occur in it.
fn quote(text: &str) -> String {
    if text.contains('\'') && !text.contains('"') {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', r"\'"))
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Item {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, u8 => Int, u16 => Int, u32 => Int,
    f32 => Float, f64 => Float,
    &str => Str, String => Str,
    &[u8] => Bytes, Vec<u8> => Bytes,
}

impl<const N: usize> From<&[u8; N]> for Item {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Item {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}
