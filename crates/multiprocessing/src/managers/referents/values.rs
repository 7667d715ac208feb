//! What Python does with any value: iterate over it, take it for an index.

use hilos_pickle::{Dict, Global, Instance, List, Object, Slice, Step, Tuple};

use crate::managers::args::Args;
use crate::managers::exception::Exception;

/// More items than this would be no list but an attack.
const MOST: i64 = 1 << 32;

/// What iterating over a value gives.
pub(in crate::managers) fn iterate(
    args: &Args<'_>,
    object: &Object,
) -> Result<Vec<Object>, Exception> {
    match args.value(object)? {
        Object::Dict(dict) => Ok(dict.keys()),
        Object::Str(text) => Ok(characters(&text)?),
        Object::Bytes(bytes) => Ok(bytes.iter().map(|&byte| byte.into()).collect()),
        Object::ByteArray(bytes) => Ok(bytes.to_vec().into_iter().map(Object::from).collect()),
        Object::Instance(instance) => of_instance(args, &instance),
        other => Ok(Vec::try_from(&other)?),
    }
}

fn characters(text: &hilos_pickle::Str) -> Result<Vec<Object>, Exception> {
    let character = |(position, point)| match char::from_u32(point) {
        Some(character) => Ok(Object::from(character)),
        // Half of a pair, which is no character of Rust's.
        None => {
            let position = position as i64;
            Ok(text
                .get_slice(&Slice::new(position, position + 1, None))?
                .into())
        }
    };
    text.code_points().enumerate().map(character).collect()
}

/// Of calls that stand for something to iterate over, and of subclasses of list, set and dict.
fn of_instance(args: &Args<'_>, instance: &Instance) -> Result<Vec<Object>, Exception> {
    let class = instance
        .class()
        .filter(|class| *class.module() == "builtins");
    match (
        class.and_then(|class| class.name().as_str()),
        instance.args(),
    ) {
        (Some("range"), [start, stop, step]) => {
            range(start.try_into()?, stop.try_into()?, step.try_into()?)
        }
        (Some("list" | "tuple"), [items]) => iterate(args, items),
        (Some("iter"), [items]) => {
            let consumed = instance.state().map_or(Ok(0), usize::try_from)?;
            Ok(iterate(args, items)?.into_iter().skip(consumed).collect())
        }
        (Some("reversed"), [items]) => {
            let mut items = iterate(args, items)?;
            let left = instance.state().map(i64::try_from).transpose()?;
            if let Some(last) = left {
                items.truncate(usize::try_from(last + 1).unwrap_or(0));
            }
            items.reverse();
            Ok(items)
        }
        _ if instance.is_a("array", "array") => super::array::items_of(instance),
        _ => of_steps(instance).ok_or_else(|| not_iterable(&instance.clone().into())),
    }
}

fn range(start: i64, stop: i64, step: i64) -> Result<Vec<Object>, Exception> {
    let count = match step {
        0 => return Err(Exception::value_error("range() arg 3 must not be zero")),
        1.. => stop.saturating_sub(start).saturating_add(step - 1) / step,
        _ => stop.saturating_sub(start).saturating_add(step + 1) / step,
    };
    match count {
        MOST.. => Err(Exception::new("MemoryError", ())),
        _ => Ok((0..count.max(0))
            .map(|index| (start + index * step).into())
            .collect()),
    }
}

/// What was put into an object after it was made.
fn of_steps(instance: &Instance) -> Option<Vec<Object>> {
    let mut items = None::<Vec<Object>>;
    for step in instance.steps() {
        let items = items.get_or_insert_default();
        match step {
            Step::Append(added) | Step::Add(added) => items.extend(added),
            Step::SetItems(pairs) => items.extend(pairs.into_iter().map(|(key, _)| key)),
            _ => {}
        }
    }
    items
}

pub(super) fn not_iterable(object: &Object) -> Exception {
    Exception::type_error(format!("'{}' object is not iterable", object.type_name()))
}

/// The pairs that a dict is made of or updated with.
pub(super) fn pairs(args: &Args<'_>, object: &Object) -> Result<Vec<(Object, Object)>, Exception> {
    let value = args.value(object)?;
    if let Object::Dict(dict) = &value {
        return Ok(dict.items());
    }
    if let Object::Instance(instance) = &value
        && let Some(Step::SetItems(pairs)) = instance
            .steps()
            .into_iter()
            .find(|step| matches!(step, Step::SetItems(_)))
    {
        return Ok(pairs);
    }
    let items = iterate(args, &value)?.into_iter().enumerate();
    items
        .map(|(number, item)| pair(args, number, &item))
        .collect()
}

fn pair(args: &Args<'_>, number: usize, item: &Object) -> Result<(Object, Object), Exception> {
    let items = iterate(args, item).map_err(|_| {
        Exception::type_error(format!(
            "cannot convert dictionary update sequence element #{number} to a sequence"
        ))
    })?;
    match &items[..] {
        [key, value] => Ok((key.clone(), value.clone())),
        items => Err(Exception::value_error(format!(
            "dictionary update sequence element #{number} has length {}; 2 is required",
            items.len()
        ))),
    }
}

/// A position or a range of them.
pub(in crate::managers) enum Index {
    One(i64),
    Slice(Slice),
}

/// What stands in the brackets of a sequence.
pub(in crate::managers) fn index(object: &Object, sequence: &str) -> Result<Index, Exception> {
    match object {
        Object::BigInt(_) => {
            let text = "cannot fit 'int' into an index-sized integer";
            Err(Exception::new("IndexError", text))
        }
        Object::Int(_) | Object::Bool(_) => Ok(Index::One(object.try_into()?)),
        Object::Instance(instance) if instance.is_a("builtins", "slice") => {
            Ok(Index::Slice(object.try_into()?))
        }
        other => Err(Exception::type_error(match sequence {
            "array" => "array indices must be integers".to_owned(),
            _ => format!(
                "{sequence} indices must be integers or slices, not {}",
                other.type_name()
            ),
        })),
    }
}

/// An argument that must be an int.
pub(super) fn integer(object: &Object) -> Result<i64, Exception> {
    match object {
        Object::BigInt(_) => Err(Exception::new(
            "OverflowError",
            "Python int too large to convert to C ssize_t",
        )),
        Object::Int(_) | Object::Bool(_) => Ok(object.try_into()?),
        other => Err(Exception::type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            other.type_name()
        ))),
    }
}

/// An argument that Python compares with 0 before it is taken for an int.
pub(super) fn number(object: &Object) -> Result<i64, Exception> {
    object.less_than(&Object::from(0))?;
    integer(object)
}

/// Python's `is` or `==`, as containers look for an item.
pub(super) fn same(one: &Object, other: &Object) -> bool {
    one.is(other) || one == other
}

/// What Python pickles for an iterator over items that are there.
pub(super) fn iterator_over(items: Vec<Object>) -> Object {
    let args = Tuple::from_iter([Object::from(List::from(items))]);
    Instance::reduce(Global::new("builtins", "iter"), args).into()
}

/// A dict of these pairs.
pub(super) fn dict_of(pairs: Vec<(Object, Object)>) -> Result<Dict, Exception> {
    let dict = Dict::new();
    dict.update(pairs)?;
    Ok(dict)
}
