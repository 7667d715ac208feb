//! `set`, which CPython's managers have since 3.14.

use hilos_pickle::{Global, Object, Set};

use super::iterator::PythonIterator;
use super::values::iterate;
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::managers::text::text;

/// What Python's `set(…)` gives.
pub(crate) fn make(args: &Args<'_>) -> Result<Set, Exception> {
    Ok(match args.between("set", (0, 1))? {
        [items] => Set::from_items(iterate(args, items)?)?,
        _ => Set::new(),
    })
}

impl Referent for Set {
    fn type_name(&self) -> &str {
        "set"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &[
            "__and__",
            "__contains__",
            "__ge__",
            "__gt__",
            "__iand__",
            "__ior__",
            "__isub__",
            "__iter__",
            "__ixor__",
            "__le__",
            "__len__",
            "__lt__",
            "__or__",
            "__rand__",
            "__ror__",
            "__rsub__",
            "__rxor__",
            "__sub__",
            "__xor__",
            "add",
            "clear",
            "copy",
            "difference",
            "difference_update",
            "discard",
            "intersection",
            "intersection_update",
            "isdisjoint",
            "issubset",
            "issuperset",
            "pop",
            "remove",
            "symmetric_difference",
            "symmetric_difference_update",
            "union",
            "update",
        ]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "__contains__" | "add" | "discard" | "remove" => item(self, method, args),
            "__len__" | "__iter__" | "clear" | "copy" | "pop" => whole(self, method, args),
            "__ge__" | "__gt__" | "__le__" | "__lt__" => compare(self, method, args),
            operator if operator.starts_with("__") => operate(self, operator, args),
            _ => combine(self, method, args),
        }
    }

    fn repr(&self) -> String {
        text(format_args!("{self:?}"))
    }

    fn value(&self) -> Result<Object, Exception> {
        Ok(self.clone().into())
    }

    fn contents(&self) -> Option<Object> {
        Some(self.clone().into())
    }
}

/// Methods without arguments.
fn whole(set: &Set, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    match method.starts_with("__") {
        true => args.operands(method, 0).map(drop)?,
        false => args.none(&format!("set.{method}"))?,
    }
    Ok(match method {
        "__len__" => set.len().into(),
        "__iter__" => items_of(set.clone()).into(),
        "clear" => set.clear().into(),
        "copy" => copy(set)?.into(),
        _ => pop(set)?.into(),
    })
}

/// Methods with one item.
fn item(set: &Set, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let item = args.one(&format!("set.{method}"))?;
    Ok(match method {
        "__contains__" => set.contains(item)?.into(),
        "add" => set.add(item).map(drop)?.into(),
        "discard" => set.discard(item).map(drop)?.into(),
        _ => set.remove(item)?.into(),
    })
}

fn copy(set: &Set) -> Result<Set, Exception> {
    Ok(Set::from_items(set.to_vec())?)
}

fn pop(set: &Set) -> Result<Object, Exception> {
    loop {
        let Some(item) = set.to_vec().into_iter().next() else {
            return Err(Exception::new("KeyError", "pop from an empty set"));
        };
        // Unless another thread has taken it meanwhile.
        if set.discard(&item)? {
            return Ok(item);
        }
    }
}

/// Goes through the items as long as their number stays.
fn items_of(set: Set) -> PythonIterator {
    let length = set.len();
    let mut items = set.to_vec().into_iter();
    PythonIterator::trying("set_iterator", move || {
        if set.len() != length {
            let text = "Set changed size during iteration";
            return Some(Err(Exception::runtime_error(text)));
        }
        items.next().map(Ok)
    })
}

/// Another set; `None` for what is none, with which operators do not work.
fn other_set(args: &Args<'_>, method: &str) -> Result<Option<Set>, Exception> {
    Ok(match args.value(&args.operand(method)?)? {
        Object::Set(set) => Some(set),
        Object::FrozenSet(set) => Some(Set::from_items(set.iter().cloned())?),
        _ => None,
    })
}

fn not_implemented() -> Answer {
    Object::from(Global::new("builtins", "NotImplemented")).into()
}

fn compare(set: &Set, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let Some(other) = other_set(args, method)? else {
        return Ok(not_implemented());
    };
    let (one, other) = (Object::from(set.clone()), Object::from(other));
    Ok(match method {
        "__ge__" => one >= other,
        "__gt__" => one > other,
        "__le__" => one <= other,
        _ => one < other,
    }
    .into())
}

/// `&`, `|`, `-` and `^`, also from the right and in place.
fn operate(set: &Set, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let Some(other) = other_set(args, method)? else {
        return Ok(not_implemented());
    };
    let name = method.trim_matches('_');
    let (own, other, operator) = match name {
        "iand" | "ior" | "isub" | "ixor" => (set.clone(), other, &name[1..]),
        "rand" | "ror" | "rsub" | "rxor" => (other, set.clone(), &name[1..]),
        operator => (copy(set)?, other, operator),
    };
    change(&own, operator, other.to_vec())?;
    Ok(own.into())
}

/// Makes a set what an operator gives for it and these items.
fn change(set: &Set, operator: &str, items: Vec<Object>) -> Result<(), Exception> {
    let other = Set::from_items(items)?;
    match operator {
        "or" => set.update(other.to_vec())?,
        "xor" => {
            for item in other.to_vec() {
                if !set.discard(&item)? {
                    set.add(item)?;
                }
            }
        }
        _ => {
            let keep = operator == "and";
            for item in set.to_vec() {
                if other.contains(&item)? != keep {
                    set.discard(item)?;
                }
            }
        }
    }
    Ok(())
}

/// Methods with anything to iterate over.
fn combine(set: &Set, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    args.no_keywords(&format!("set.{method}"))?;
    let others = args.positional().iter().map(|other| iterate(args, other));
    let others: Vec<_> = others.collect::<Result<_, _>>()?;
    let operator = match method.trim_end_matches("_update") {
        "union" | "update" => "or",
        "intersection" => "and",
        "difference" => "sub",
        "symmetric_difference" => {
            args.one(&format!("set.{method}"))?;
            "xor"
        }
        _ => return relate(set, method, args),
    };
    let in_place = method.ends_with("update");
    let result = if in_place { set.clone() } else { copy(set)? };
    for other in others {
        change(&result, operator, other)?;
    }
    Ok(if in_place { ().into() } else { result.into() })
}

fn relate(set: &Set, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let other = Set::from_items(iterate(args, &args.one(&format!("set.{method}"))?)?)?;
    let within = |inner: &Set, outer: &Set| -> Result<bool, Exception> {
        let found = inner.to_vec().into_iter().map(|item| outer.contains(item));
        Ok(found
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .all(|found| found))
    };
    Ok(match method {
        "issubset" => within(set, &other)?.into(),
        "issuperset" => within(&other, set)?.into(),
        "isdisjoint" => {
            let common = copy(set)?;
            change(&common, "and", other.to_vec())?;
            common.is_empty().into()
        }
        _ => return Err(set.no_attribute(method)),
    })
}
