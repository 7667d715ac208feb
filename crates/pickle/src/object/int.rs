//! Integers beyond 64 bits, with what a value needs and no arithmetic.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Error, Object};

/// Python's own bound for decimal digits, beyond which a conversion would take quadratic time.
const MAX_DIGITS: usize = 4300;

/// What a limb of a decimal conversion holds: nine digits.
const NINE_DIGITS: u32 = 1_000_000_000;

/// The first float beyond 64 bits.
const TWO_TO_63: f64 = (1u64 << 63) as f64;

/// An int that does not fit 64 bits, part of [`Object::BigInt`].
///
/// It is a value to compare, print and convert; for arithmetic convert it to an `i128` or, with
/// [`to_signed_bytes_le`](Self::to_signed_bytes_le), to the number type of your choice.
///
/// ```
/// use hilos_pickle::Object;
///
/// let n = Object::from(u128::MAX);
/// assert_eq!(n.to_string(), "340282366920938463463374607431768211455");
/// assert_eq!(u128::try_from(&n)?, u128::MAX);
/// # Ok::<(), hilos_pickle::Error>(())
/// ```
///
/// # Differences from Python
///
/// Beyond 4300 digits the decimal form is a `ValueError` there; here it is hexadecimal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigInt(
    /// Two's complement, the lowest byte first, without a superfluous byte, more than 64 bits.
    Arc<[u8]>,
);

impl BigInt {
    /// The number as two's complement, the lowest byte first, in as few bytes as can hold it.
    pub fn to_signed_bytes_le(&self) -> &[u8] {
        &self.0
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.0.last().is_some_and(|byte| byte & 0x80 != 0)
    }

    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// The absolute value, the lowest byte first.
    fn magnitude(&self) -> Vec<u8> {
        let mut bytes = self.0.to_vec();
        if self.is_negative() {
            negate(&mut bytes);
        }
        bytes
    }

    /// The exact number, which must be an integer that does not fit 64 bits.
    fn from_f64(number: f64) -> Self {
        let bits = number.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as usize - 1075;
        let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
        let mut bytes = vec![0; exponent / 8];
        bytes.extend_from_slice(&(u128::from(mantissa) << (exponent % 8)).to_le_bytes());
        if number < 0.0 {
            negate(&mut bytes);
        }
        Self(Arc::from(shortest(&bytes)))
    }

    /// The nearest float; infinite if there is none.
    pub(crate) fn to_f64(&self) -> f64 {
        let magnitude = self.magnitude();
        let digits = significant(&magnitude);
        let (low, high) = digits.split_at(digits.len() - 8);
        // The highest 64 bits, of which the last one also says whether anything is below.
        let mut top = u64::from_le_bytes(high.try_into().expect("8 bytes"));
        let mut below = low.to_vec();
        let shift = top.leading_zeros();
        if let (Some(next), true) = (below.last_mut(), shift > 0) {
            top = top << shift | u64::from(*next) >> (8 - shift);
            *next &= (1 << (8 - shift)) - 1;
        }
        let sticky = below.iter().any(|&byte| byte != 0);
        let exponent = low.len() * 8 - shift as usize;
        let value = (top | u64::from(sticky)) as f64 * 2f64.powi(exponent.min(2000) as i32);
        if self.is_negative() { -value } else { value }
    }

    /// How the number stands to a float, exactly; `None` for NaN.
    pub(crate) fn compare_float(&self, other: f64) -> Option<Ordering> {
        let by_sign = match self.is_negative() {
            true => Ordering::Less,
            false => Ordering::Greater,
        };
        if other.is_nan() {
            None
        } else if other.is_infinite() {
            Some(if other > 0.0 {
                Ordering::Less
            } else {
                Ordering::Greater
            })
        } else if i64_from_float(other).is_some() || other.fract() != 0.0 {
            Some(by_sign)
        } else {
            Some(self.cmp(&Self::from_f64(other)))
        }
    }
}

impl Ord for BigInt {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_size = match (self.is_negative(), other.is_negative()) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => self.0.len().cmp(&other.0.len()),
            (true, true) => other.0.len().cmp(&self.0.len()),
        };
        by_size.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for BigInt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.magnitude();
        let text = match decimal(&magnitude) {
            Some(text) => text,
            None => hexadecimal(&magnitude),
        };
        f.pad_integral(!self.is_negative(), "", &text)
    }
}

impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An int from two's complement, the lowest byte first; no byte at all is 0.
pub(crate) fn from_signed_bytes(bytes: &[u8]) -> Object {
    if let [rest @ .., last] = bytes
        && rest.len() < 8
    {
        let mut wide = [if last & 0x80 != 0 { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        return Object::Int(i64::from_le_bytes(wide));
    }
    match shortest(bytes) {
        [] => Object::Int(0),
        short if short.len() <= 8 => from_signed_bytes(short),
        long => Object::BigInt(BigInt(Arc::from(long))),
    }
}

/// An int from decimal digits, which Python allows to have single underscores between them.
impl FromStr for Object {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || {
            let text = Object::from(text);
            Error::ValueError(format!("invalid literal for int() with base 10: {text:?}"))
        };
        let trimmed = text.trim();
        let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
        let well_formed = digits
            .split('_')
            .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
        if !well_formed {
            return Err(invalid());
        }
        let digits = digits.replace('_', "");
        if digits.len() > MAX_DIGITS {
            return Err(too_many_digits(digits.len()));
        }
        let mut bytes = binary(&digits);
        if trimmed.starts_with('-') {
            negate(&mut bytes);
        }
        Ok(from_signed_bytes(&bytes))
    }
}

fn too_many_digits(digits: usize) -> Error {
    Error::ValueError(format!(
        "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion: value has {digits} \
         digits; use sys.set_int_max_str_digits() to increase the limit"
    ))
}

/// How an int stands to a float, exactly; `None` for NaN.
pub(crate) fn compare_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        None
    } else if float >= TWO_TO_63 {
        Some(Ordering::Less)
    } else if float < -TWO_TO_63 {
        Some(Ordering::Greater)
    } else {
        let fraction = 0f64.partial_cmp(&float.fract());
        fraction.map(|fraction| int.cmp(&(float as i64)).then(fraction))
    }
}

/// The int that equals a float, if it fits 64 bits.
pub(crate) fn i64_from_float(float: f64) -> Option<i64> {
    (compare_float(float as i64, float) == Some(Ordering::Equal)).then_some(float as i64)
}

/// The big int that equals a float, if there is one.
pub(crate) fn big_from_float(float: f64) -> Option<BigInt> {
    let big = float.is_finite() && i64_from_float(float).is_none() && float.fract() == 0.0;
    big.then(|| BigInt::from_f64(float))
}

/// Without the bytes at the end that only repeat the sign.
pub(crate) fn shortest(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0] => &[],
        [rest @ .., 0] if rest.last().is_some_and(|byte| byte & 0x80 == 0) => shortest_of(rest, 0),
        [rest @ .., 0xff] if rest.last().is_some_and(|byte| byte & 0x80 != 0) => {
            shortest_of(rest, 0xff)
        }
        _ => bytes,
    }
}

fn shortest_of(bytes: &[u8], sign: u8) -> &[u8] {
    match bytes.iter().rposition(|&byte| byte != sign) {
        None if sign == 0 => &[],
        None => &bytes[..1],
        // One byte of the sign stays where the highest bit would tell another.
        Some(last) if (bytes[last] ^ sign) & 0x80 != 0 => &bytes[..last + 2],
        Some(last) => &bytes[..=last],
    }
}

fn negate(bytes: &mut Vec<u8>) {
    bytes.push(if bytes.last().is_some_and(|byte| byte & 0x80 != 0) {
        0xff
    } else {
        0
    });
    let mut carry = true;
    for byte in bytes {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

fn significant(magnitude: &[u8]) -> &[u8] {
    let last = magnitude.iter().rposition(|&byte| byte != 0);
    &magnitude[..last.map_or(0, |last| last + 1)]
}

/// The decimal digits, unless there are more than Python would write.
fn decimal(magnitude: &[u8]) -> Option<String> {
    let digits = significant(magnitude);
    if digits.len() > MAX_DIGITS / 2 {
        return None;
    }
    let mut limbs = limbs(digits);
    let mut groups = Vec::new();
    while !limbs.is_empty() {
        groups.push(divide(&mut limbs, NINE_DIGITS));
    }
    let first = groups.pop().unwrap_or(0);
    let rest = groups.iter().rev().map(|group| format!("{group:09}"));
    let text = std::iter::once(first.to_string())
        .chain(rest)
        .collect::<String>();
    (text.len() <= MAX_DIGITS).then_some(text)
}

fn hexadecimal(magnitude: &[u8]) -> String {
    let digits = significant(magnitude).iter().rev();
    let text = digits.map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("0x{}", text.trim_start_matches('0'))
}

/// The two's complement of decimal digits, with a byte to spare for the sign.
fn binary(digits: &str) -> Vec<u8> {
    let mut limbs: Vec<u32> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = u64::from(digit - b'0');
        for limb in &mut limbs {
            carry += u64::from(*limb) * 10;
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    let bytes = limbs.into_iter().flat_map(u32::to_le_bytes);
    bytes.chain([0]).collect()
}

fn limbs(digits: &[u8]) -> Vec<u32> {
    let limb = |chunk: &[u8]| {
        chunk
            .iter()
            .rev()
            .fold(0, |limb, &byte| limb << 8 | u32::from(byte))
    };
    digits.chunks(4).map(limb).collect()
}

/// Divides in place, dropping zeros at the high end; the remainder.
fn divide(limbs: &mut Vec<u32>, divisor: u32) -> u32 {
    let mut remainder = 0;
    for limb in limbs.iter_mut().rev() {
        let dividend = remainder << 32 | u64::from(*limb);
        *limb = (dividend / u64::from(divisor)) as u32;
        remainder = dividend % u64::from(divisor);
    }
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
    remainder as u32
}
