//! What Python does with any value: iterate over it, take it for an index.

use hilos_pickle::{Dict, Global, Instance, List, Object, Slice, Step, Tuple};

use super::iterables;
use crate::managers::args::Args;
use crate::managers::exception::Exception;

/// More items than this, out of a request of a few bytes, would be no list but an attack.
const MOST: usize = 1 << 26;

/// So few need no thought.
const FEW: usize = 1 << 16;

/// A place for so many items, if there is memory for them, for their copies and for the reply.
pub(super) fn room_for(count: usize) -> Result<Vec<Object>, Exception> {
    check_room(count)?;
    let mut items = Vec::new();
    let reserved = items.try_reserve_exact(count);
    reserved.map_err(|_| Exception::new("MemoryError", ()))?;
    Ok(items)
}

/// Whether there is memory for so many items, of which a request makes copies.
pub(super) fn check_room(count: usize) -> Result<(), Exception> {
    let mut all = Vec::<[Object; 4]>::new();
    let enough = count <= FEW || count <= MOST && all.try_reserve_exact(count).is_ok();
    // The compiler may not take it for granted.
    drop(std::hint::black_box(all));
    match enough {
        true => Ok(()),
        false => Err(Exception::new("MemoryError", ())),
    }
}

/// How many items iterating over a value gives, as far as that is known before.
pub(super) fn length_of(object: &Object) -> usize {
    match object {
        Object::List(list) => list.len(),
        Object::Tuple(tuple) => tuple.len(),
        Object::Dict(dict) => dict.len(),
        Object::Set(set) => set.len(),
        Object::FrozenSet(set) => set.len(),
        Object::Str(text) => text.as_wtf8().len(),
        Object::Bytes(bytes) => bytes.len(),
        Object::ByteArray(bytes) => bytes.to_vec().len(),
        _ => 0,
    }
}

/// What iterating over a value gives.
pub(in crate::managers) fn iterate(
    args: &Args<'_>,
    object: &Object,
) -> Result<Vec<Object>, Exception> {
    let value = args.value(object)?;
    check_room(length_of(&value))?;
    match value {
        Object::Dict(dict) => Ok(dict.keys()),
        Object::Str(text) => Ok(text.characters().collect()),
        Object::Bytes(bytes) => Ok(bytes.iter().map(|&byte| byte.into()).collect()),
        Object::ByteArray(bytes) => Ok(bytes.to_vec().into_iter().map(Object::from).collect()),
        Object::Instance(instance) => iterables::of_instance(args, &instance),
        other => Ok(Vec::try_from(&other)?),
    }
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
        && instance.is_a("collections", "Counter")
    {
        return Ok(match instance.args() {
            [counted] => pairs(args, counted)?,
            _ => Vec::new(),
        });
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

/// An end of a range of positions, which may lie beyond all of them.
pub(super) fn bound(object: &Object) -> Result<i64, Exception> {
    match object {
        Object::BigInt(_) if object < &Object::from(0) => Ok(i64::MIN),
        Object::BigInt(_) => Ok(i64::MAX),
        Object::Int(_) | Object::Bool(_) => Ok(object.try_into()?),
        _ => {
            let text = "slice indices must be integers or have an __index__ method";
            Err(Exception::type_error(text))
        }
    }
}

/// How often a sequence is to be repeated.
pub(super) fn times(object: &Object) -> Result<i64, Exception> {
    match object {
        Object::BigInt(_) => {
            let text = "cannot fit 'int' into an index-sized integer";
            Err(Exception::new("OverflowError", text))
        }
        other => integer(other),
    }
}

/// An argument that Python compares with 0 before it is taken for an int.
pub(super) fn number(object: &Object) -> Result<i64, Exception> {
    object.less_than(&Object::from(0))?;
    integer(object)
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
