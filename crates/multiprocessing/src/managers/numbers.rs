//! What Python's `int` and `float` make of values.

use hilos_pickle::{Object, Str};

use super::builtins::{is_space, text};
use super::exception::Exception;

/// The whole number that an object is, as far as 128 bits go; `None` if it is none. A bool is one.
pub(super) fn whole(object: &Object) -> Option<Result<i128, Exception>> {
    match object {
        Object::Bool(_) | Object::Int(_) | Object::BigInt(_) => {
            Some(i128::try_from(object).map_err(Exception::from))
        }
        _ => None,
    }
}

/// What an operation on whole numbers gave, if 128 bits were enough for it.
pub(super) fn sized(number: Option<i128>) -> Result<Object, Exception> {
    let text = "the number has more than 128 bits";
    let number = number.ok_or_else(|| Exception::new("OverflowError", text))?;
    Ok(number.into())
}

/// What `int(x)` gives.
pub(super) fn int_of(object: &Object) -> Result<Object, Exception> {
    match object {
        Object::Bool(bool) => Ok(i64::from(*bool).into()),
        Object::Int(_) | Object::BigInt(_) => Ok(object.clone()),
        Object::Float(float) => truncated(*float),
        Object::Str(text) => parse_int(text, 10),
        other => Err(Exception::type_error(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            other.type_name()
        ))),
    }
}

fn truncated(float: f64) -> Result<Object, Exception> {
    let overflow = |text| Err(Exception::new("OverflowError", text));
    match float {
        _ if float.is_nan() => Err(Exception::value_error(
            "cannot convert float NaN to integer",
        )),
        _ if float.is_infinite() => overflow("cannot convert float infinity to integer"),
        _ if float.abs() >= 2f64.powi(127) => overflow("the float is too large here"),
        _ => Ok((float as i128).into()),
    }
}

/// What `int(text, base)` gives.
pub(super) fn parse_int(whole: &Str, base: i64) -> Result<Object, Exception> {
    let radix = match base {
        0 | 2..=36 => base as u32,
        _ => {
            let text = "int() base must be >= 2 and <= 36, or 0";
            return Err(Exception::value_error(text));
        }
    };
    let invalid = || {
        let whole = Object::from(whole.clone());
        Exception::value_error(format!(
            "invalid literal for int() with base {base}: {whole:?}"
        ))
    };
    let trimmed = text(whole)?.trim_matches(is_space);
    let (negative, unsigned) = match trimmed.as_bytes().first() {
        Some(b'-') => (true, &trimmed[1..]),
        Some(b'+') => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let (radix, digits) = with_prefix(unsigned, radix).ok_or_else(invalid)?;
    if !are_digits(digits, radix) {
        return Err(invalid());
    }
    if radix == 10 {
        return Ok(trimmed.parse()?);
    }
    let value = i128::from_str_radix(&digits.replace('_', ""), radix);
    let large = |_| Exception::new("OverflowError", "the number is too large here");
    let value = value.map_err(large)?;
    Ok(if negative { -value } else { value }.into())
}

/// The base and the digits of a number that may say its base itself, as Python's source does.
fn with_prefix(number: &str, base: u32) -> Option<(u32, &str)> {
    let named = match number.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    if named != 0 && (base == named || base == 0) {
        let digits = &number[2..];
        return Some((named, digits.strip_prefix('_').unwrap_or(digits)));
    }
    if base != 0 {
        return Some((base, number));
    }
    let is_zero = number.bytes().all(|byte| matches!(byte, b'0' | b'_'));
    (is_zero || !number.starts_with('0')).then_some((10, number))
}

/// Whether these are digits, with single underscores between.
fn are_digits(digits: &str, radix: u32) -> bool {
    let is_digit = |character: char| character.is_digit(radix);
    let mut groups = digits.split('_');
    groups.all(|group| !group.is_empty() && group.chars().all(is_digit))
}

/// What `float(x)` gives.
pub(super) fn float_of(object: &Object) -> Result<f64, Exception> {
    match object {
        Object::Str(text) => parse_float(text),
        Object::Bool(_) | Object::Int(_) | Object::BigInt(_) | Object::Float(_) => {
            Ok(f64::try_from(object)?)
        }
        other => Err(Exception::type_error(format!(
            "float() argument must be a string or a real number, not '{}'",
            other.type_name()
        ))),
    }
}

fn parse_float(whole: &Str) -> Result<f64, Exception> {
    let invalid = || {
        let whole = Object::from(whole.clone());
        Exception::value_error(format!("could not convert string to float: {whole:?}"))
    };
    let trimmed = text(whole)?.trim_matches(is_space);
    let mut around = trimmed.as_bytes().windows(3);
    let between = around
        .all(|three| three[1] != b'_' || three[0].is_ascii_digit() && three[2].is_ascii_digit());
    if !between || trimmed.starts_with('_') || trimmed.ends_with('_') {
        return Err(invalid());
    }
    trimmed.replace('_', "").parse().map_err(|_| invalid())
}
