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

/// The real number that a complex one equals, if there is one.
pub(super) fn real(instance: &Instance) -> Option<f64> {
    match instance.args() {
        [Object::Float(real), Object::Float(imaginary)]
            if *imaginary == 0.0 && instance.is_a("builtins", "complex") =>
        {
            Some(*real)
        }
        _ => None,
    }
}

/// How many numbers a range has, the first, and what lies between them: ranges of the same numbers are equal.
pub(super) fn range(instance: &Instance) -> Option<[i128; 3]> {
    let [Object::Int(start), Object::Int(stop), Object::Int(step)] = instance.args() else {
        return None;
    };
    if *step == 0 || !instance.is_a("builtins", "range") {
        return None;
    }
    let [start, stop, step] = [start, stop, step].map(|number| i128::from(*number));
    let (distance, stride) = if step > 0 {
        (stop - start, step)
    } else {
        (start - stop, -step)
    };
    let count = (distance.max(0) + stride - 1) / stride;
    Some([
        count,
        if count > 0 { start } else { 0 },
        if count > 1 { step } else { 0 },
    ])
}

/// Whether it is a zero, or a range without numbers.
pub(super) fn is_nothing(instance: &Instance) -> bool {
    real(instance) == Some(0.0) || range(instance).is_some_and(|[count, ..]| count == 0)
}

/// Whether it is an array, which can change and so has no hash.
pub(crate) fn is_array(instance: &Instance) -> bool {
    let is_remade = match instance.function() {
        Object::Global(function) => {
            function.module() == "array" && function.name() == "_array_reconstructor"
        }
        _ => false,
    };
    is_remade || instance.is_a("array", "array")
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
