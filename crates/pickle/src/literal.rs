//! The values that protocols 0 and 1 write as text.

use crate::{Error, Object, Str, UnpicklingError};

/// How [`Unpickler::with_encoding`](crate::Unpickler::with_encoding) reads Python 2's 8-bit strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// As text of ASCII; anything else in it is an error.
    #[default]
    Ascii,
    /// As text of the first 256 characters, which fits all.
    Latin1,
    /// As text of UTF-8.
    Utf8,
    /// As bytes.
    Bytes,
}

impl Encoding {
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Object, UnpicklingError> {
        let complaint = |codec, position| {
            let byte = bytes.get(position).copied().unwrap_or_default();
            let message =
                format!("'{codec}' codec can't decode byte {byte:#04x} in position {position}: ");
            Error::ValueError(message + "invalid data")
        };
        match self {
            Self::Bytes => Ok(Object::from(bytes)),
            Self::Latin1 => Ok(Object::from(latin1(bytes))),
            Self::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                None => Ok(Object::from(latin1(bytes))),
                Some(position) => Err(complaint("ascii", position).into()),
            },
            Self::Utf8 => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Object::from(text)),
                Err(error) => Err(complaint("utf-8", error.valid_up_to()).into()),
            },
        }
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A line that protocol 0 wants to be ASCII or UTF-8.
pub(crate) fn text(line: &[u8]) -> Result<&str, UnpicklingError> {
    std::str::from_utf8(line).map_err(|_| UnpicklingError::new("a line of the pickle is no text"))
}

pub(crate) fn int(line: &[u8]) -> Result<Object, UnpicklingError> {
    match line {
        b"00" => Ok(Object::Bool(false)),
        b"01" => Ok(Object::Bool(true)),
        _ => decimal(line),
    }
}

pub(crate) fn long(line: &[u8]) -> Result<Object, UnpicklingError> {
    decimal(line.strip_suffix(b"L").unwrap_or(line))
}

/// A number without zeros in front, which would make Python take it for octal or refuse it.
fn decimal(line: &[u8]) -> Result<Object, UnpicklingError> {
    match line.strip_prefix(b"-").unwrap_or(line) {
        [b'0', _, ..] => Err(Error::ValueError("could not convert string to int".into()).into()),
        _ => Ok(text(line)?.parse()?),
    }
}

pub(crate) fn index(line: &[u8]) -> Result<u64, UnpicklingError> {
    match text(line)?.trim().parse() {
        Ok(index) => Ok(index),
        Err(_) => Err(Error::ValueError("a memo key is no number".into()).into()),
    }
}

pub(crate) fn float(line: &[u8]) -> Result<Object, UnpicklingError> {
    match text(line)?.parse::<f64>() {
        Ok(float) if float.is_infinite() && line.iter().any(u8::is_ascii_digit) => {
            Err(Error::OverflowError("value too large to convert to float".into()).into())
        }
        Ok(float) => Ok(Object::Float(float)),
        Err(_) => Err(Error::ValueError("could not convert string to float".into()).into()),
    }
}

/// The bytes of a Python 2 string literal.
pub(crate) fn string(line: &[u8]) -> Result<Vec<u8>, UnpicklingError> {
    let trimmed = line.trim_ascii();
    let quoted = match trimmed {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => {
            return Err(UnpicklingError::new(
                "the STRING opcode argument must be quoted",
            ));
        }
    };
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b'\\' => escape(tail, &mut bytes)?,
            _ => {
                bytes.push(first);
                tail
            }
        };
    }
    Ok(bytes)
}

/// Decodes what follows a backslash; what is left.
fn escape<'a>(rest: &'a [u8], bytes: &mut Vec<u8>) -> Result<&'a [u8], UnpicklingError> {
    let invalid = |message: &str| UnpicklingError::from(Error::ValueError(message.into()));
    let (&kind, tail) = rest
        .split_first()
        .ok_or_else(|| invalid("Trailing \\ in string"))?;
    let plain = match kind {
        b'\n' => return Ok(tail),
        b'\\' | b'\'' | b'"' => kind,
        b'b' => 8,
        b'f' => 12,
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'v' => 11,
        b'a' => 7,
        b'0'..=b'7' => {
            let (value, tail) = number(rest, 8, 3).ok_or_else(|| invalid("invalid \\ escape"))?;
            bytes.push(value as u8);
            return Ok(tail);
        }
        b'x' => {
            let digits = tail.get(..2).and_then(|digits| number(digits, 16, 2));
            let value = digits.filter(|(_, unread)| unread.is_empty());
            bytes.push(value.ok_or_else(|| invalid("invalid \\x escape"))?.0 as u8);
            return Ok(&tail[2..]);
        }
        _ => {
            bytes.extend([b'\\', kind]);
            return Ok(tail);
        }
    };
    bytes.push(plain);
    Ok(tail)
}

/// The number that up to `most` digits at the start make, and what follows them.
fn number(text: &[u8], radix: u32, most: usize) -> Option<(u32, &[u8])> {
    let digits = text
        .iter()
        .take(most)
        .take_while(|&&byte| char::from(byte).is_digit(radix))
        .count();
    let (digits, rest) = text.split_at(digits);
    let digits = std::str::from_utf8(digits).ok()?;
    Some((u32::from_str_radix(digits, radix).ok()?, rest))
}

/// The text of protocol 0: the first 256 characters as bytes, others by `\u` and `\U`.
pub(crate) fn unicode(line: &[u8]) -> Result<Str, UnpicklingError> {
    let mut text = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&first, tail)) = rest.split_first() {
        let digits = match rest {
            [b'\\', b'u', ..] => 4,
            [b'\\', b'U', ..] => 8,
            // A backslash escapes the one after it only in that it does not begin an escape.
            [b'\\', b'\\', tail @ ..] => {
                text.extend(b"\\\\");
                rest = tail;
                continue;
            }
            _ => {
                push_code_point(u32::from(first), &mut text);
                rest = tail;
                continue;
            }
        };
        let invalid = || Error::ValueError("truncated \\uXXXX escape".into());
        let digits = tail.get(1..=digits).ok_or_else(invalid)?;
        let (point, unread) = number(digits, 16, 8).ok_or_else(invalid)?;
        if !unread.is_empty() || point > 0x10ffff {
            return Err(invalid().into());
        }
        push_code_point(point, &mut text);
        rest = &tail[1 + digits.len()..];
    }
    let invalid = || UnpicklingError::new("a line of the pickle is no text");
    Str::from_wtf8(&text).ok_or_else(invalid)
}

/// UTF-8 of a code point that may be a surrogate.
fn push_code_point(point: u32, text: &mut Vec<u8>) {
    let tail = |shift: u32| (point >> shift & 0x3f) as u8 | 0x80;
    match point {
        0..0x80 => text.push(point as u8),
        0x80..0x800 => text.extend([(point >> 6) as u8 | 0xc0, tail(0)]),
        0x800..0x10000 => text.extend([(point >> 12) as u8 | 0xe0, tail(6), tail(0)]),
        _ => text.extend([(point >> 18) as u8 | 0xf0, tail(12), tail(6), tail(0)]),
    }
}
