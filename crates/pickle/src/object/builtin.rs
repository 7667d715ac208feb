//! Values of Python's own types that pickles make by calls, and that Python shows in another way.

use std::fmt;

use super::{Instance, List, Object, quote};

/// What Python shows for a range, a complex number or an array; `None` for anything else.
pub(super) fn describe(instance: &Instance) -> Option<String> {
    let class = instance.class()?;
    match (
        class.module().as_str()?,
        class.name().as_str()?,
        instance.args(),
    ) {
        ("builtins", "range", [start, stop, Object::Int(1)]) => {
            Some(format!("range({start:?}, {stop:?})"))
        }
        ("builtins", "complex", [Object::Float(real), Object::Float(imaginary)]) => {
            Some(Complex(*real, *imaginary).to_string())
        }
        ("array", "array", [Object::Str(code), Object::Bytes(bytes)]) => {
            let code = code.as_str()?;
            Some(match items(code, bytes)? {
                _ if bytes.is_empty() => format!("array('{code}')"),
                items => format!("array('{code}', {items:?})"),
            })
        }
        _ => None,
    }
}

struct Complex(f64, f64);

impl fmt::Display for Complex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(real, imaginary) = *self;
        if real == 0.0 && real.is_sign_positive() {
            return write!(f, "{}j", Part(imaginary));
        }
        let below = imaginary.is_sign_negative() && !imaginary.is_nan();
        let plus = if below { "" } else { "+" };
        write!(f, "({}{plus}{}j)", Part(real), Part(imaginary))
    }
}

/// A part of a complex number, which has no `.0`.
struct Part(f64);

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Quoted(self.0).to_string();
        f.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}

struct Quoted(f64);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quote::float(self.0, f)
    }
}

/// The numbers or the text that an array has as bytes, by the letter of their type.
fn items(code: &str, bytes: &[u8]) -> Option<Object> {
    macro_rules! numbers {
        ($number:ty) => {{
            let (chunks, []) = bytes.as_chunks() else {
                return None;
            };
            let numbers = chunks.iter().map(|chunk| <$number>::from_ne_bytes(*chunk));
            Some(List::from_iter(numbers.map(Object::from)).into())
        }};
    }
    match code {
        "b" => numbers!(i8),
        "B" => numbers!(u8),
        "h" => numbers!(i16),
        "H" => numbers!(u16),
        "i" => numbers!(i32),
        "I" => numbers!(u32),
        "l" | "q" => numbers!(i64),
        "L" | "Q" => numbers!(u64),
        "f" => numbers!(f32),
        "d" => numbers!(f64),
        _ => None,
    }
}
