//! What Python's programs sort by: methods of strings, and functions of `operator`.

use hilos_pickle::{Dict, Instance, Object, Slice, Str, Tuple};

use super::args::Args;
use super::arithmetic::two;
use super::builtins::{is_space, text};
use super::exception::Exception;
use super::numbers::{sized, whole};
use super::referents::{Index, index};
use super::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    of_str(registry, "lower", str::to_lowercase);
    of_str(registry, "upper", str::to_uppercase);
    stripping(registry, "strip", |text, is_away| {
        text.trim_matches(is_away)
    });
    stripping(registry, "lstrip", |text, is_away| {
        text.trim_start_matches(is_away)
    });
    stripping(registry, "rstrip", |text, is_away| {
        text.trim_end_matches(is_away)
    });
    registry.add_function("_operator.getitem", |args| {
        let [object, key] = two(args, "_operator.getitem")?;
        item(&object, &key)
    });
    registry.add_function("_operator.neg", negative);
    registry.add_function("operator.itemgetter", item_getter);
    registry.add_function("operator.methodcaller", method_caller);
}

fn negative(args: &Args<'_>) -> Result<Object, Exception> {
    let object = args.one("neg")?;
    match (whole(&object), &object) {
        (Some(number), _) => sized(number?.checked_neg()),
        (_, Object::Float(float)) => Ok(Object::from(-float)),
        (_, other) => Err(Exception::type_error(format!(
            "bad operand type for unary -: '{}'",
            other.type_name()
        ))),
    }
}

/// A method of a str that takes nothing.
fn of_str(registry: &mut Registry, name: &'static str, method: fn(&str) -> String) {
    registry.add_function(&format!("builtins.str.{name}"), move |args| {
        let (receiver, rest) = receiver(args, name)?;
        match rest.len() {
            0 => Ok(method(text(receiver)?)),
            given => Err(Exception::type_error(format!(
                "str.{name}() takes no arguments ({given} given)"
            ))),
        }
    });
}

type Strip = for<'a> fn(&'a str, &dyn Fn(char) -> bool) -> &'a str;

/// A method of a str that takes the characters to strip, if any.
fn stripping(registry: &mut Registry, name: &'static str, method: Strip) {
    registry.add_function(&format!("builtins.str.{name}"), move |args| {
        let (receiver, rest) = receiver(args, name)?;
        let receiver = text(receiver)?;
        match rest {
            [] | [Object::None] => Ok(method(receiver, &is_space).to_owned()),
            [Object::Str(away)] => {
                let away = text(away)?;
                Ok(method(receiver, &|character| away.contains(character)).to_owned())
            }
            [_] => Err(Exception::type_error(format!(
                "{name} arg must be None or str"
            ))),
            more => Err(Exception::type_error(format!(
                "{name} expected at most 1 argument, got {}",
                more.len()
            ))),
        }
    });
}

/// The str whose method is called, and the arguments.
fn receiver<'a>(args: &'a Args<'_>, name: &str) -> Result<(&'a Str, &'a [Object]), Exception> {
    args.no_keywords(&format!("str.{name}"))?;
    match args.positional().split_first() {
        Some((Object::Str(receiver), rest)) => Ok((receiver, rest)),
        Some((other, _)) => Err(Exception::type_error(format!(
            "descriptor '{name}' for 'str' objects doesn't apply to a '{}' object",
            other.type_name()
        ))),
        None => Err(Exception::type_error(format!(
            "unbound method str.{name}() needs an argument"
        ))),
    }
}

/// What an object of one of `operator`'s classes was made of, and the object that it is called with.
fn called<'a>(args: &'a Args<'_>, class: &str) -> Result<(&'a Instance, &'a Object), Exception> {
    args.no_keywords(class)?;
    match args.positional() {
        [Object::Instance(made), object] if made.is_a("operator", class) => Ok((made, object)),
        other => Err(Exception::type_error(format!(
            "{class} expected 1 argument, got {}",
            other.len().saturating_sub(1)
        ))),
    }
}

fn item_getter(args: &Args<'_>) -> Result<Object, Exception> {
    let (made, object) = called(args, "itemgetter")?;
    let object = args.value(object)?;
    match made.args() {
        [key] => item(&object, key),
        keys => {
            let items = keys.iter().map(|key| item(&object, key));
            Ok(items.collect::<Result<Tuple, _>>()?.into())
        }
    }
}

/// What `object[key]` gives.
fn item(object: &Object, key: &Object) -> Result<Object, Exception> {
    match object {
        Object::Dict(dict) => Ok(dict.get_item(key)?),
        Object::List(list) => Ok(match index(key, "list")? {
            Index::One(index) => list.get(index)?,
            Index::Slice(slice) => list.get_slice(&slice)?.into(),
        }),
        Object::Tuple(tuple) => {
            let place = |at: usize| Some(tuple.get(at)?.clone());
            at(key, ("tuple", tuple.len()), place, |slice| {
                Ok(tuple.get_slice(slice)?.into())
            })
        }
        Object::Str(text) => {
            let slice = |slice: &Slice| Ok(text.get_slice(slice)?.into());
            let place = |at: usize| slice(&Slice::new(at as i64, at as i64 + 1, None)).ok();
            at(key, ("string", text.len()), place, slice)
        }
        other => Err(Exception::type_error(format!(
            "'{}' object is not subscriptable",
            other.type_name()
        ))),
    }
}

/// An item of a sequence, or some.
fn at(
    key: &Object,
    (sequence, length): (&str, usize),
    place: impl Fn(usize) -> Option<Object>,
    slice: impl Fn(&Slice) -> Result<Object, Exception>,
) -> Result<Object, Exception> {
    let index = match index(key, sequence)? {
        Index::One(index) => index,
        Index::Slice(wanted) => return slice(&wanted),
    };
    let from_start = if index < 0 {
        index + length as i64
    } else {
        index
    };
    let found = usize::try_from(from_start)
        .ok()
        .filter(|&found| found < length);
    let text = || format!("{sequence} index out of range");
    found
        .and_then(place)
        .ok_or_else(|| Exception::new("IndexError", text()))
}

fn method_caller(args: &Args<'_>) -> Result<Object, Exception> {
    let (made, object) = called(args, "methodcaller")?;
    let Some((name, rest)) = made.args().split_first() else {
        return Err(Exception::type_error(
            "methodcaller needs at least one argument",
        ));
    };
    let method = args.method(object, name.try_into()?)?;
    method.call(rest.iter().cloned(), Dict::new())
}
