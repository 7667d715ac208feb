//! What clients send to be iterated over: the calls that Python pickles for ranges and iterators.

use hilos_pickle::{Dict, Instance, Object, Step, Tuple};

use super::values::{iterate, not_iterable, room_for};
use crate::managers::args::Args;
use crate::managers::exception::Exception;

/// Of calls that stand for something to iterate over, and of subclasses of list, set and dict.
pub(super) fn of_instance(args: &Args<'_>, instance: &Instance) -> Result<Vec<Object>, Exception> {
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
        (Some("reversed"), [items]) => reversed(args, items, instance.state()),
        (Some("zip"), iterables) => {
            let strict = instance.state().is_some_and(|strict| strict.is_true());
            let rows = rows(args, iterables, strict)?.into_iter();
            Ok(rows.map(Object::from).collect())
        }
        (Some("map"), [function, iterables @ ..]) => map(args, function, iterables),
        (Some("filter"), [function, items]) => filter(args, function, items),
        (Some("enumerate"), [items, start]) => {
            let start = i64::try_from(start)?;
            let items = (start..).zip(iterate(args, items)?);
            Ok(items.map(Object::from).collect())
        }
        // A dict with the numbers.
        _ if instance.is_a("collections", "Counter") => {
            let counted = instance.args().iter().map(|counted| iterate(args, counted));
            Ok(counted.collect::<Result<Vec<_>, _>>()?.concat())
        }
        _ if instance.is_a("array", "array") => super::array::items_of(instance),
        _ => of_steps(instance).ok_or_else(|| not_iterable(&instance.clone().into())),
    }
}

fn range(start: i64, stop: i64, step: i64) -> Result<Vec<Object>, Exception> {
    // No difference of two numbers of 64 bits overflows so.
    let [start, stop, step] = [start, stop, step].map(i128::from);
    let count = match step {
        0 => return Err(Exception::value_error("range() arg 3 must not be zero")),
        1.. => (stop - start + step - 1) / step,
        _ => (stop - start + step + 1) / step,
    };
    let count = count.max(0);
    let mut items = room_for(usize::try_from(count).unwrap_or(usize::MAX))?;
    items.extend((0..count).map(|index| Object::from(start + index * step)));
    Ok(items)
}

/// From the end, or from the position that an iterator has come to.
fn reversed(
    args: &Args<'_>,
    items: &Object,
    position: Option<Object>,
) -> Result<Vec<Object>, Exception> {
    let mut items = iterate(args, items)?;
    if let Some(last) = position.map(i64::try_from).transpose()? {
        items.truncate(usize::try_from(last.saturating_add(1)).unwrap_or(0));
    }
    items.reverse();
    Ok(items)
}

/// What `zip` gives: a row of one item of each.
fn rows(args: &Args<'_>, iterables: &[Object], strict: bool) -> Result<Vec<Tuple>, Exception> {
    // An iterator that is there twice gives each of its items once.
    let mut distinct: Vec<(&Object, std::vec::IntoIter<Object>)> = Vec::new();
    let mut places = Vec::new();
    for iterable in iterables {
        let known = distinct.iter().position(|(other, _)| other.is(iterable));
        places.push(known.unwrap_or(distinct.len()));
        if known.is_none() {
            distinct.push((iterable, iterate(args, iterable)?.into_iter()));
        }
    }
    let mut rows = Vec::new();
    while !places.is_empty() {
        let next = places.iter().map_while(|&place| distinct[place].1.next());
        let row: Tuple = next.collect();
        if row.len() == places.len() {
            rows.push(row);
            continue;
        }
        let longer = |&place: &usize| distinct[place].1.len() > 0;
        return match (strict, row.len()) {
            (true, 0) => match places.iter().position(longer) {
                Some(number) => Err(uneven(number, "longer")),
                None => Ok(rows),
            },
            (true, number) => Err(uneven(number, "shorter")),
            _ => Ok(rows),
        };
    }
    Ok(rows)
}

fn uneven(number: usize, how: &str) -> Exception {
    let (this, others) = match number {
        1 => (2, " 1".to_owned()),
        number => (number + 1, format!("s 1-{number}")),
    };
    Exception::value_error(format!(
        "zip() argument {this} is {how} than argument{others}"
    ))
}

fn map(args: &Args<'_>, function: &Object, iterables: &[Object]) -> Result<Vec<Object>, Exception> {
    let function = args.callable(function)?;
    let rows = rows(args, iterables, false)?.into_iter();
    rows.map(|row| function.call(row.iter().cloned(), Dict::new()))
        .collect()
}

fn filter(args: &Args<'_>, function: &Object, items: &Object) -> Result<Vec<Object>, Exception> {
    let mut items = iterate(args, items)?;
    if let Object::None = function {
        items.retain(Object::is_true);
        return Ok(items);
    }
    let function = args.callable(function)?;
    let chosen = |item: Object| match function.call([item.clone()], Dict::new()) {
        Ok(answer) => answer.is_true().then_some(Ok(item)),
        Err(exception) => Some(Err(exception)),
    };
    items.into_iter().filter_map(chosen).collect()
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
