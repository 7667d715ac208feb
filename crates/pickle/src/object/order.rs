//! Python's `<`, `<=`, `>` and `>=`.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::equality::identical_or_equal;
use super::{Object, Tuple, int};
use crate::Error;

/// Numbers by value, text and bytes by their units, lists and tuples by the first difference, sets
/// by inclusion; `None` where Python raises a `TypeError`, and where none of `<`, `==`, `>` holds.
impl PartialOrd for Object {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        compare(self, other, "<").ok().flatten()
    }
}

impl Object {
    /// Whether `self < other`, with the error that Python would raise; the operators of Rust do without.
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

/// Two sequences of which the first items are equal.
struct Walk {
    left: Tuple,
    right: Tuple,
    next: usize,
}

/// How two objects stand; `None` if they can be compared but neither precedes.
///
/// Walks through both at once, down to the first values that differ.
fn compare(left: &Object, right: &Object, operator: &str) -> Result<Option<Ordering>, Error> {
    let mut walks = Vec::new();
    let mut met = HashSet::new();
    let mut pair = (left.clone(), right.clone());
    loop {
        let (left, right) = &pair;
        match walk(left, right) {
            // A pair that was met is equal as far as can be told.
            Some(walk) if met.insert((left.address(), right.address())) => walks.push(walk),
            Some(_) => {}
            None => return values(left, right).ok_or_else(|| unordered(left, right, operator)),
        }
        match first_difference(&mut walks) {
            Ok(different) => pair = different,
            Err(by_length) => return Ok(Some(by_length)),
        }
    }
}

fn walk(left: &Object, right: &Object) -> Option<Walk> {
    let (left, right) = match (left, right) {
        (Object::List(left), Object::List(right)) => (left.to_vec().into(), right.to_vec().into()),
        (Object::Tuple(left), Object::Tuple(right)) => (left.clone(), right.clone()),
        _ => return None,
    };
    Some(Walk {
        left,
        right,
        next: 0,
    })
}

/// The next two items that differ or are sequences, or how the lengths stand.
fn first_difference(walks: &mut Vec<Walk>) -> Result<(Object, Object), Ordering> {
    while let Some(walk) = walks.last_mut() {
        let (left, right) = (walk.left.get(walk.next), walk.right.get(walk.next));
        walk.next += 1;
        match (left, right) {
            (Some(left), Some(right)) => {
                let sequences = matches!(
                    (left, right),
                    (Object::List(_), Object::List(_)) | (Object::Tuple(_), Object::Tuple(_))
                );
                if !left.is(right) && sequences || !identical_or_equal(left, right) {
                    return Ok((left.clone(), right.clone()));
                }
            }
            (None, None) => drop(walks.pop()),
            (left, right) => return Err(left.is_some().cmp(&right.is_some())),
        }
    }
    Err(Ordering::Equal)
}

fn unordered(left: &Object, right: &Object, operator: &str) -> Error {
    let (left, right) = (left.type_name(), right.type_name());
    Error::TypeError(format!(
        "'{operator}' not supported between instances of '{left}' and '{right}'"
    ))
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
