//! Python's repr of text, bytes and floats.

use std::fmt::{self, Write};

use super::Str;

pub(super) fn text(text: &Str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quote = quote(text.as_wtf8());
    f.write_char(quote)?;
    for point in text.code_points() {
        match char::from_u32(point) {
            Some(character) => write_char(character, quote, f)?,
            None => write!(f, "\\u{point:04x}")?,
        }
    }
    f.write_char(quote)
}

pub(super) fn bytes(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quote = quote(bytes);
    write_bytes(bytes, quote, quote, f)
}

/// A bytearray's repr escapes single quotes, even between double ones.
pub(super) fn byte_array(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("bytearray(")?;
    write_bytes(bytes, quote(bytes), '\'', f)?;
    f.write_str(")")
}

fn write_bytes(
    bytes: &[u8],
    quote: char,
    escaped: char,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "b{quote}")?;
    for &byte in bytes {
        match byte {
            0x80.. => write!(f, "\\x{byte:02x}")?,
            _ => write_char(char::from(byte), escaped, f)?,
        }
    }
    f.write_char(quote)
}

/// Double quotes only where they save an escape.
fn quote(bytes: &[u8]) -> char {
    match bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        true => '"',
        false => '\'',
    }
}

fn write_char(character: char, quote: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match character {
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        _ if character == quote => write!(f, "\\{quote}"),
        ' '..='~' => f.write_char(character),
        _ if is_printable(character) => f.write_char(character),
        ..'\u{100}' => write!(f, "\\x{:02x}", u32::from(character)),
        ..'\u{10000}' => write!(f, "\\u{:04x}", u32::from(character)),
        _ => write!(f, "\\U{:08x}", u32::from(character)),
    }
}

/// Rust's own idea of what to print, which has the same rule as Python's `str.isprintable`.
fn is_printable(character: char) -> bool {
    // A mark that joins what is before it is escaped at the start of a text alone.
    let mut buffer = [b'a'; 5];
    let length = character.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..=length]).expect("two characters");
    text.escape_debug().nth(1) == Some(character)
}

/// The shortest digits that give the number back, in Python's layout.
pub(super) fn float(number: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if number.is_nan() {
        return f.write_str("nan");
    }
    if number.is_infinite() {
        return f.write_str(if number > 0.0 { "inf" } else { "-inf" });
    }
    let shortest = shortest(number);
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        // The same digits, since they give the number back.
        let fraction = shortest.decimals();
        return write!(f, "{number:.fraction$}");
    }
    let (sign, exponent) = match shortest.exponent {
        exponent @ ..0 => ('-', -exponent),
        exponent => ('+', exponent),
    };
    write!(f, "{}e{sign}{exponent:02}", shortest.digits)
}

/// A decimal number with one digit before the point.
struct Decimal {
    digits: String,
    exponent: i32,
}

impl Decimal {
    /// How many digits Python writes after the point when there is no exponent.
    fn decimals(&self) -> usize {
        let digits = self.digits.bytes().filter(u8::is_ascii_digit).count() as i32;
        (digits - 1 - self.exponent).max(1) as usize
    }
}

/// The fewest digits that give the number back, and of those the nearest to it.
fn shortest(number: f64) -> Decimal {
    let shortest = format!("{number:e}");
    let digits = shortest
        .bytes()
        .take_while(|&byte| byte != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    // Rust rounds half up there, and half to even here, as Python does.
    let nearest = format!("{number:.*e}", digits - 1);
    let text = if nearest.parse() == Ok(number) {
        nearest
    } else {
        shortest
    };
    let (digits, exponent) = text.split_once('e').expect("an exponent");
    let exponent = exponent.parse().expect("a number");
    Decimal {
        digits: digits.to_owned(),
        exponent,
    }
}
