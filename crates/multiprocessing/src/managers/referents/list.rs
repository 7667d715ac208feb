//! `list`.

use hilos_pickle::{Dict, Global, Instance, List, Object, Slice, Tuple};

use super::values::{
    Index, bound, check_room, index, integer, iterate, length_of, room_for, times,
};
use crate::managers::args::Args;
use crate::managers::callable::Callable;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::managers::text::text;

/// What Python's `list(…)` gives.
pub(crate) fn make(args: &Args<'_>) -> Result<List, Exception> {
    Ok(match args.between("list", (0, 1))? {
        [items] => List::from(iterate(args, items)?),
        _ => List::new(),
    })
}

impl Referent for List {
    fn type_name(&self) -> &str {
        "list"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &[
            "__add__",
            "__contains__",
            "__delitem__",
            "__getitem__",
            "__imul__",
            "__len__",
            "__mul__",
            "__reversed__",
            "__rmul__",
            "__setitem__",
            "append",
            "clear",
            "copy",
            "count",
            "extend",
            "index",
            "insert",
            "pop",
            "remove",
            "reverse",
            "sort",
        ]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "__getitem__" | "__delitem__" | "__setitem__" => item(self, method, args),
            "index" | "insert" | "pop" => placed(self, method, args),
            "sort" => sort(self, args).map(Answer::from),
            "__len__" | "__reversed__" | "clear" | "copy" | "reverse" => whole(self, method, args),
            _ => with(self, method, args),
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
fn whole(list: &List, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    match method {
        "__len__" => args.operands(method, 0).map(drop)?,
        _ => args.none(&format!("list.{method}"))?,
    }
    Ok(match method {
        "__len__" => list.len().into(),
        "__reversed__" => reversed(list.copy()).into(),
        "clear" => list.clear().into(),
        "copy" => {
            check_room(list.len())?;
            list.copy().into()
        }
        _ => list.reverse().into(),
    })
}

/// What Python pickles for an iterator from the end.
fn reversed(list: List) -> Object {
    let last = list.len() as i64 - 1;
    let args = Tuple::from_iter([Object::from(list)]);
    Instance::reduce(Global::new("builtins", "reversed"), args)
        .with_state(last)
        .into()
}

/// Methods with one argument.
fn with(list: &List, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let argument = match method.starts_with("__") {
        true => args.operand(method)?,
        false => args.one(&format!("list.{method}"))?,
    };
    Ok(match method {
        "__add__" => sum(list, &argument)?.into(),
        "__contains__" => list.contains(argument).into(),
        "__mul__" | "__rmul__" => repeated(list, &argument)?.into(),
        "__imul__" => {
            match times(&argument)? {
                ..=0 => list.clear(),
                times => list.extend(repeated(list, &(times - 1).into())?.to_vec()),
            }
            list.clone().into()
        }
        "append" => list.append(argument).into(),
        "count" => list.count(argument).into(),
        "extend" => {
            check_room(list.len() + length_of(&args.value(&argument)?))?;
            let items = iterate(args, &argument)?;
            check_room(list.len() + items.len())?;
            list.extend(items).into()
        }
        "remove" => list.remove(argument)?.into(),
        _ => return Err(list.no_attribute(method)),
    })
}

fn sum(list: &List, other: &Object) -> Result<List, Exception> {
    let Object::List(other) = other else {
        let text = format!(
            "can only concatenate list (not \"{}\") to list",
            other.type_name()
        );
        return Err(Exception::type_error(text));
    };
    check_room(list.len() + other.len())?;
    let sum = list.copy();
    sum.extend(other.to_vec());
    Ok(sum)
}

fn repeated(list: &List, factor: &Object) -> Result<List, Exception> {
    let (items, times) = (list.to_vec(), times(factor)?);
    let times = usize::try_from(times).unwrap_or(0);
    let mut product = room_for(items.len().saturating_mul(times))?;
    // Nothing is soon repeated.
    let times = if items.is_empty() { 0 } else { times };
    product.extend(std::iter::repeat_n(items, times).flatten());
    Ok(product.into())
}

/// What stands in brackets.
fn item(list: &List, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let (key, value) = match method {
        "__setitem__" => {
            let operands = args.operands(method, 2)?;
            (operands[0].clone(), operands[1].clone())
        }
        "__delitem__" => (args.operand(method)?, Object::None),
        _ => (args.one("list.__getitem__")?, Object::None),
    };
    Ok(match (method, index(&key, "list")?) {
        ("__getitem__", Index::One(index)) => list.get(index)?.into(),
        ("__getitem__", Index::Slice(slice)) => list.get_slice(&slice)?.into(),
        ("__delitem__", Index::One(index)) => list.delete(index)?.into(),
        ("__delitem__", Index::Slice(slice)) => list.delete_slice(&slice)?.into(),
        (_, Index::One(index)) => list.set(index, value)?.into(),
        (_, Index::Slice(slice)) => {
            let text = "must assign iterable to extended slice";
            let items = iterate(args, &value).map_err(|_| Exception::type_error(text))?;
            list.set_slice(&slice, items)?.into()
        }
    })
}

/// Methods with a position.
fn placed(list: &List, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    Ok(match method {
        "pop" => match args.between("list.pop", (0, 1))? {
            [index] => list.pop(integer(index)?)?.into(),
            _ => list.pop(-1)?.into(),
        },
        "insert" => {
            let arguments = args.between("list.insert", (2, 2))?;
            list.insert(integer(&arguments[0])?, &arguments[1]).into()
        }
        _ => {
            let arguments = args.between("list.index", (1, 3))?;
            position(list, arguments)?.into()
        }
    })
}

fn position(list: &List, arguments: &[Object]) -> Result<usize, Exception> {
    let end = |argument: Option<&Object>| argument.map(bound).transpose();
    let slice = Slice::new(end(arguments.get(1))?, end(arguments.get(2))?, None);
    Ok(list.index_in(&arguments[0], &slice)?)
}

fn sort(list: &List, args: &Args<'_>) -> Result<(), Exception> {
    if !args.positional().is_empty() {
        return Err(Exception::type_error(
            "sort() takes no positional arguments",
        ));
    }
    let [key, reverse] = args.bind("sort", ["key", "reverse"], 0)?;
    let reverse = reverse.is_some_and(|reverse| reverse.is_true());
    match key.filter(|key| !matches!(key, Object::None)) {
        Some(key) => {
            let key = args.callable(&key)?;
            list.rearrange(|items| sorted_by(&key, items, reverse))
        }
        None if reverse => Ok(list.sort_reversed()?),
        None => Ok(list.sort()?),
    }
}

fn sorted_by(
    key: &Callable,
    mut items: Vec<Object>,
    reverse: bool,
) -> Result<Vec<Object>, Exception> {
    if reverse {
        items.reverse();
    }
    let keys = items
        .iter()
        .map(|item| key.call([item.clone()], Dict::new()));
    // The place keeps those in order that have the same key.
    let keyed = keys
        .enumerate()
        .map(|(place, key)| Ok((key?, place).into()));
    let keyed = List::from(keyed.collect::<Result<Vec<Object>, Exception>>()?);
    keyed.sort()?;
    let place = |pair: Object| -> Result<Object, Exception> {
        let place = usize::try_from(&Tuple::try_from(&pair)?[1])?;
        Ok(items[place].clone())
    };
    let sorted = keyed.to_vec().into_iter().map(place);
    let mut sorted: Vec<Object> = sorted.collect::<Result<_, _>>()?;
    if reverse {
        sorted.reverse();
    }
    Ok(sorted)
}
