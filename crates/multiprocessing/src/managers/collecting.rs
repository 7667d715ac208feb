//! Functions of Python's own that take something to iterate over.

use hilos_pickle::{Dict, FrozenSet, List, Object, Tuple};

use super::args::Args;
use super::arithmetic::{add, named};
use super::exception::Exception;
use super::referents::{self, iterate};
use super::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add_function("builtins.all", |args| {
        Ok(iterate(args, &args.one("all")?)?
            .iter()
            .all(Object::is_true))
    });
    registry.add_function("builtins.any", |args| {
        Ok(iterate(args, &args.one("any")?)?
            .iter()
            .any(Object::is_true))
    });
    registry.add_function("builtins.dict", referents::make_dict);
    registry.add_function("builtins.frozenset", |args| {
        Ok(FrozenSet::from_items(items(args, "frozenset")?)?)
    });
    registry.add_function("builtins.list", |args| Ok(List::from(items(args, "list")?)));
    registry.add_function("builtins.set", referents::make_set);
    registry.add_function("builtins.tuple", |args| {
        Ok(Tuple::from_iter(items(args, "tuple")?))
    });
    registry.add_function("builtins.max", |args| extreme(args, "max", greater));
    registry.add_function("builtins.min", |args| {
        extreme(args, "min", |one, best| Ok(one.less_than(best)?))
    });
    registry.add_function("builtins.sorted", sorted);
    registry.add_function("builtins.sum", sum);
}

/// What a container is made of.
fn items(args: &Args<'_>, class: &str) -> Result<Vec<Object>, Exception> {
    match args.between(class, (0, 1))? {
        [items] => iterate(args, items),
        _ => Ok(Vec::new()),
    }
}

fn sorted(args: &Args<'_>) -> Result<Object, Exception> {
    let [items] = args.positional() else {
        let given = args.positional().len();
        let text = format!("sorted expected 1 argument, got {given}");
        return Err(Exception::type_error(text));
    };
    let list = Object::from(List::from(iterate(args, items)?));
    args.method(&list, "sort")?
        .call([], args.keywords().copy())?;
    Ok(list)
}

fn sum(args: &Args<'_>) -> Result<Object, Exception> {
    if args.positional().is_empty() {
        let text = "sum() takes at least 1 positional argument (0 given)";
        return Err(Exception::type_error(text));
    }
    let [items, start] = named(args, "sum", ["iterable", "start"], 1)?;
    let items = iterate(args, &items.into())?;
    let start = start.map_or(Ok(0.into()), |start| args.value(&start))?;
    let strange = |what, empty| {
        let text = format!("sum() can't sum {what} [use {empty}.join(seq) instead]");
        Err(Exception::type_error(text))
    };
    match start {
        Object::Str(_) => strange("strings", "''"),
        Object::Bytes(_) => strange("bytes", "b''"),
        Object::ByteArray(_) => strange("bytearray", "b''"),
        start => total(args, start, items),
    }
}

/// Python adds what each addition of floats has lost at the end.
fn total(args: &Args<'_>, start: Object, items: Vec<Object>) -> Result<Object, Exception> {
    let (mut total, mut lost) = (start, 0.0);
    for item in items {
        if let (Object::Float(sum), Object::Float(item)) = (&total, &item) {
            let (large, small) = match sum.abs() >= item.abs() {
                true => (sum, item),
                false => (item, sum),
            };
            lost += (large - (sum + item)) + small;
        }
        total = add(args, &total, &item)?;
    }
    match total {
        Object::Float(sum) if lost.is_finite() => Ok((sum + lost).into()),
        total => Ok(total),
    }
}

/// Whether `one` is to replace the best so far.
type IsBetter = fn(&Object, &Object) -> Result<bool, Exception>;

/// The first of the items that no other is better than.
fn extreme(args: &Args<'_>, name: &str, is_better: IsBetter) -> Result<Object, Exception> {
    let (key, default) = options(args, name)?;
    let items = candidates(args, name, default.is_some())?;
    let key = key.map(|key| args.callable(&key)).transpose()?;
    let mut best = None::<(Object, Object)>;
    for item in items {
        let rank = match &key {
            Some(key) => key.call([item.clone()], Dict::new())?,
            None => item.clone(),
        };
        let is_best = match &best {
            Some((_, best)) => is_better(&rank, best)?,
            None => true,
        };
        if is_best {
            best = Some((item, rank));
        }
    }
    let empty = || Exception::value_error(format!("{name}() iterable argument is empty"));
    best.map(|(item, _)| item).or(default).ok_or_else(empty)
}

/// The arguments themselves, or the items of the only one.
fn candidates(args: &Args<'_>, name: &str, has_default: bool) -> Result<Vec<Object>, Exception> {
    match args.positional() {
        [] => Err(Exception::type_error(format!(
            "{name} expected at least 1 argument, got 0"
        ))),
        [items] => iterate(args, items),
        _ if has_default => Err(Exception::type_error(format!(
            "Cannot specify a default for {name}() with multiple positional arguments"
        ))),
        items => Ok(items.to_vec()),
    }
}

/// The key, if it is not `None`, and the default.
fn options(args: &Args<'_>, name: &str) -> Result<(Option<Object>, Option<Object>), Exception> {
    let (mut key, mut default) = (None, None);
    for (option, value) in args.keywords().items() {
        match option.to_string().as_str() {
            "key" => key = Some(value).filter(|key| !matches!(key, Object::None)),
            "default" => default = Some(value),
            _ => {
                let text = format!("{name}() got an unexpected keyword argument {option:?}");
                return Err(Exception::type_error(text));
            }
        }
    }
    Ok((key, default))
}

/// Whether `one > other`, with Python's words.
fn greater(one: &Object, other: &Object) -> Result<bool, Exception> {
    other.less_than(one).map_err(|error| {
        let text = error.to_string();
        let names = text
            .strip_prefix("'<' not supported between instances of '")
            .and_then(|names| names.strip_suffix('\''))
            .and_then(|names| names.split_once("' and '"));
        match names {
            Some((other, one)) => Exception::type_error(format!(
                "'>' not supported between instances of '{one}' and '{other}'"
            )),
            None => error.into(),
        }
    })
}
