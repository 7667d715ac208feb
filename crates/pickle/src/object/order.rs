//! Python's `<`, `<=`, `>` and `>=`.

use std::cmp::Ordering;

use super::equality::identical_or_equal;
use super::{Object, int};
use crate::Error;

/// Numbers by value, text and bytes by their units, lists and tuples by the first difference, sets
/// by inclusion; `None` where Python raises a `TypeError`, and where none of `<`, `==`, `>` holds.
impl PartialOrd for Object {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        compare(self, other, "<").ok().flatten()
    }
}

impl Object {
    /// Python's `<`, `<=`, `>` or `>=`, with the error that Python would raise.
    ///
    /// `operator` is one of them as Python writes it, and `matches` says for which outcome it holds.
    /// The comparison operators of Rust do without the error.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the two have no order.
    ///
    /// ```
    /// use hilos_pickle::Object;
    ///
    /// let error = Object::from("a").less_than(&Object::from(1)).unwrap_err();
    /// assert_eq!(error.to_string(), "'<' not supported between instances of 'str' and 'int'");
    /// assert!(Object::from(1).less_than(&Object::from(1.5))?);
    /// # Ok::<(), hilos_pickle::Error>(())
    /// ```
    pub fn less_than(&self, other: &Self) -> Result<bool, Error> {
        less(self, other)
    }
}

pub(crate) fn less(left: &Object, right: &Object) -> Result<bool, Error> {
    Ok(compare(left, right, "<")? == Some(Ordering::Less))
}

/// How two objects stand; `None` if they can be compared but neither precedes.
fn compare(left: &Object, right: &Object, operator: &str) -> Result<Option<Ordering>, Error> {
    let (mut left, mut right) = (left.clone(), right.clone());
    // Down to the first items that differ, and to the first that differ in those.
    loop {
        let difference = match (&left, &right) {
            (Object::List(left), Object::List(right)) => {
                first_difference(&left.to_vec(), &right.to_vec())
            }
            (Object::Tuple(left), Object::Tuple(right)) => first_difference(left, right),
            (left, right) => {
                return values(left, right).ok_or_else(|| unordered(left, right, operator));
            }
        };
        match difference {
            Ok((first, second)) => (left, right) = (first, second),
            Err(by_length) => return Ok(Some(by_length)),
        }
    }
}

fn unordered(left: &Object, right: &Object, operator: &str) -> Error {
    let (left, right) = (left.type_name(), right.type_name());
    Error::TypeError(format!(
        "'{operator}' not supported between instances of '{left}' and '{right}'"
    ))
}

fn first_difference(left: &[Object], right: &[Object]) -> Result<(Object, Object), Ordering> {
    let mut pairs = std::iter::zip(left, right);
    match pairs.find(|(left, right)| !identical_or_equal(left, right)) {
        Some((left, right)) => Ok((left.clone(), right.clone())),
        None => Err(left.len().cmp(&right.len())),
    }
}

/// The order of what is no sequence of objects; `None` if there is none.
fn values(left: &Object, right: &Object) -> Option<Option<Ordering>> {
    use Object::*;
    Some(match (left, right) {
        (Str(left), Str(right)) => Some(left.cmp(right)),
        (Bytes(_) | ByteArray(_), Bytes(_) | ByteArray(_)) => {
            Some(left.to_bytes()?.cmp(&right.to_bytes()?))
        }
        (Set(_) | FrozenSet(_), Set(_) | FrozenSet(_)) => inclusion(left, right),
        _ => match (number(left)?, number(right)?) {
            (Int(left), Int(right)) => Some(left.cmp(&right)),
            (BigInt(left), BigInt(right)) => Some(left.cmp(&right)),
            (Float(left), Float(right)) => left.partial_cmp(&right),
            (Int(int), Float(float)) => int::compare_float(int, float),
            (Float(float), Int(int)) => int::compare_float(int, float).map(Ordering::reverse),
            (BigInt(big), Float(float)) => big.compare_float(float),
            (Float(float), BigInt(big)) => big.compare_float(float).map(Ordering::reverse),
            (BigInt(big), Int(_)) => Some(sign(&big)),
            (Int(_), BigInt(big)) => Some(sign(&big).reverse()),
            _ => return Option::None,
        },
    })
}

/// How a number beyond 64 bits stands to any within.
fn sign(big: &super::BigInt) -> Ordering {
    match big.is_negative() {
        true => Ordering::Less,
        false => Ordering::Greater,
    }
}

fn number(object: &Object) -> Option<Object> {
    match object {
        Object::Bool(bool) => Some(Object::Int(i64::from(*bool))),
        Object::Int(_) | Object::BigInt(_) | Object::Float(_) => Some(object.clone()),
        _ => None,
    }
}

fn inclusion(left: &Object, right: &Object) -> Option<Ordering> {
    let (left, right) = (left.set_snapshot()?, right.set_snapshot()?);
    let within = |inner: &super::table::Table<()>, outer: &super::table::Table<()>| {
        inner.iter().all(|entry| {
            let same = |other: &Object| Ok::<_, Error>(identical_or_equal(&entry.key, other));
            outer
                .find(entry.hash, same)
                .is_ok_and(|found| found.is_some())
        })
    };
    match left.len().cmp(&right.len()) {
        Ordering::Less => within(&left, &right).then_some(Ordering::Less),
        Ordering::Equal => within(&left, &right).then_some(Ordering::Equal),
        Ordering::Greater => within(&right, &left).then_some(Ordering::Greater),
    }
}
