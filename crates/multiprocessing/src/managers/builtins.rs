//! Functions of Python's own that are often sent.

use hilos_pickle::{Object, Str};

use super::args::Args;
use super::arithmetic::integer;
use super::exception::Exception;
use super::numbers::{float_of, int_of, parse_int, whole};
use super::referents::iterate;
use super::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add_function("builtins.len", len);
    registry.add_function("builtins.repr", |args| {
        Ok(format!("{:?}", args.one("repr")?))
    });
    registry.add_function("builtins.bool", |args| {
        let [object] = optional(args, "bool", [""])?;
        Ok(object.is_some_and(|object| object.is_true()))
    });
    registry.add_function("builtins.str", str);
    registry.add_function("builtins.int", int);
    registry.add_function("builtins.float", |args| {
        match optional(args, "float", [""])? {
            [None] => Ok(0.0),
            [Some(object)] => float_of(&object),
        }
    });
    registry.add_function("builtins.abs", abs);
    registry.add_function("builtins.ord", ord);
    registry.add_function("builtins.chr", chr);
    in_base(registry, "bin", |number| format!("{number:#b}"));
    in_base(registry, "hex", |number| format!("{number:#x}"));
    in_base(registry, "oct", |number| format!("{number:#o}"));
    registry.add_function("time.sleep", |args| {
        let (seconds,): (f64,) = args.parse()?;
        let duration = std::time::Duration::try_from_secs_f64(seconds)
            .map_err(|_| Exception::value_error("sleep length must be non-negative"))?;
        std::thread::sleep(duration);
        Ok(())
    });
}

/// The arguments of a class of Python's, none of which must be given; a name of nothing is no keyword.
fn optional<const N: usize>(
    args: &Args<'_>,
    class: &str,
    names: [&str; N],
) -> Result<[Option<Object>; N], Exception> {
    let given = args.positional().len() + args.keywords().len();
    if given > N {
        let plural = if N == 1 { "" } else { "s" };
        return Err(Exception::type_error(format!(
            "{class} expected at most {N} argument{plural}, got {given}"
        )));
    }
    args.bind(class, names, 0)
}

fn len(args: &Args<'_>) -> Result<Object, Exception> {
    let object = args.one("len")?;
    if let Object::Str(text) = &object {
        return Ok(text.len().into());
    }
    let text = || format!("object of type '{}' has no len()", object.type_name());
    let items = iterate(args, &object).map_err(|_| Exception::type_error(text()))?;
    Ok(items.len().into())
}

fn str(args: &Args<'_>) -> Result<String, Exception> {
    let [object, encoding, errors] = optional(args, "str", ["object", "encoding", "errors"])?;
    match (object, encoding.or(errors)) {
        (None, _) => Ok(String::new()),
        (Some(object), None) => Ok(object.to_string()),
        (Some(Object::Bytes(bytes)), Some(_)) => String::from_utf8(bytes.to_vec())
            .map_err(|_| Exception::value_error("'utf-8' codec can't decode the bytes")),
        (Some(object), Some(_)) => Err(Exception::type_error(format!(
            "decoding to str: need a bytes-like object, {} found",
            object.type_name()
        ))),
    }
}

fn int(args: &Args<'_>) -> Result<Object, Exception> {
    match optional(args, "int", ["", "base"])? {
        [None, None] => Ok(0.into()),
        [None, Some(_)] => Err(Exception::type_error("int() missing string argument")),
        [Some(object), None] => int_of(&object),
        [Some(Object::Str(text)), Some(base)] => parse_int(&text, i64::try_from(&base)?),
        [Some(_), Some(_)] => Err(Exception::type_error(
            "int() can't convert non-string with explicit base",
        )),
    }
}

fn abs(args: &Args<'_>) -> Result<Object, Exception> {
    let object = args.one("abs")?;
    match (whole(&object), &object) {
        (Some(number), _) => Ok(number?.unsigned_abs().into()),
        (_, Object::Float(float)) => Ok(float.abs().into()),
        (_, other) => Err(Exception::type_error(format!(
            "bad operand type for abs(): '{}'",
            other.type_name()
        ))),
    }
}

fn ord(args: &Args<'_>) -> Result<Object, Exception> {
    let object = args.one("ord")?;
    let units: Vec<u32> = match &object {
        Object::Str(text) => text.code_points().collect(),
        Object::Bytes(bytes) => bytes.iter().copied().map(u32::from).collect(),
        Object::ByteArray(bytes) => bytes.to_vec().into_iter().map(u32::from).collect(),
        other => {
            let name = other.type_name();
            let text = format!("ord() expected string of length 1, but {name} found");
            return Err(Exception::type_error(text));
        }
    };
    match units[..] {
        [unit] => Ok(unit.into()),
        _ => Err(Exception::type_error(format!(
            "ord() expected a character, but string of length {} found",
            units.len()
        ))),
    }
}

fn chr(args: &Args<'_>) -> Result<Object, Exception> {
    let point = u32::try_from(integer(&args.one("chr")?)?).ok();
    let text = match point {
        Some(0xd800..=0xdfff) => "surrogates not allowed",
        _ => "chr() arg not in range(0x110000)",
    };
    let character = point.and_then(char::from_u32);
    Ok(character
        .ok_or_else(|| Exception::value_error(text))?
        .into())
}

/// A function that writes an int in a base.
fn in_base(registry: &mut Registry, name: &'static str, write: fn(u128) -> String) {
    registry.add_function(&format!("builtins.{name}"), move |args| {
        let number = integer(&args.one(name)?)?;
        let sign = if number < 0 { "-" } else { "" };
        Ok(format!("{sign}{}", write(number.unsigned_abs())))
    });
}

/// The text of a str; half of a pair, which is no character of Rust's, is none.
pub(super) fn text(text: &Str) -> Result<&str, Exception> {
    let unknown = || Exception::value_error("surrogates not allowed");
    text.as_str().ok_or_else(unknown)
}

/// What Python takes for a space.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}
