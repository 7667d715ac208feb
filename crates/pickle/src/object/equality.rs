//! Python's `==`, for graphs of any depth and with cycles.

use std::collections::HashSet;
use std::sync::MutexGuard;

use super::instance::Step;
use super::table::Table;
use super::{Dict, Instance, List, Object, builtin, int};

/// How many sets may be compared inside one another where hashes alone do not pair their items.
const MAX_DEPTH: usize = 50;

/// From so many pairs on, those that were met are remembered, for shared parts and cycles.
const FORGETFUL: usize = 64;

/// Python's `==`: numbers by value, sequences item by item, dicts in any order.
///
/// # Differences from Python
///
/// Instances of classes that are not known here are equal if they were made alike. Two graphs with
/// cycles are equal if no difference can be found, where Python may raise `RecursionError`.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        same(self, other).unwrap_or_else(|| compare(self, other, 0))
    }
}

/// The answer for two objects, unless that takes a look into both.
#[inline]
pub(crate) fn same(left: &Object, right: &Object) -> Option<bool> {
    use Object::*;
    Some(match (left, right) {
        (Str(left), Str(right)) => left == right,
        (Int(left), Int(right)) => left == right,
        (None, None) => true,
        (Bool(left), Bool(right)) => left == right,
        (Bool(bool), Int(int)) | (Int(int), Bool(bool)) => i64::from(*bool) == *int,
        (BigInt(left), BigInt(right)) => left == right,
        (Float(left), Float(right)) => left == right,
        (Float(float), Int(int)) | (Int(int), Float(float)) => {
            int::i64_from_float(*float) == Some(*int)
        }
        (Float(float), Bool(bool)) | (Bool(bool), Float(float)) => {
            *float == f64::from(u8::from(*bool))
        }
        (Float(float), BigInt(big)) | (BigInt(big), Float(float)) => {
            big.compare_float(*float).is_some_and(|order| order.is_eq())
        }
        (Bytes(left), Bytes(right)) => left == right,
        (ByteArray(array), Bytes(bytes)) | (Bytes(bytes), ByteArray(array)) => {
            **array.lock() == **bytes
        }
        (ByteArray(left), ByteArray(right)) => {
            left.address() == right.address() || left.to_vec() == *right.lock()
        }
        (Global(left), Global(right)) => left == right,
        (List(left), List(right)) if left.address() != right.address() => return Option::None,
        (Tuple(left), Tuple(right)) if left.address() != right.address() => return Option::None,
        (Dict(left), Dict(right)) if left.address() != right.address() => return Option::None,
        (Instance(left), Instance(right)) if left.address() != right.address() => {
            return Option::None;
        }
        (Set(_) | FrozenSet(_), Set(_) | FrozenSet(_)) if left.address() != right.address() => {
            return Option::None;
        }
        (Instance(instance), number @ (Int(_) | Float(_) | Bool(_) | BigInt(_)))
        | (number @ (Int(_) | Float(_) | Bool(_) | BigInt(_)), Instance(instance)) => {
            let real = builtin::real(instance);
            real.is_some_and(|real| same(&Float(real), number) == Some(true))
        }
        _ => left.is_container() && left.is(right),
    })
}

/// Whether two objects are the same or equal, which is how containers compare their items.
///
/// A NaN equals none, since no two of different origin would be one object in Python.
pub(crate) fn identical_or_same(left: &Object, right: &Object) -> Option<bool> {
    match (left, right) {
        (Object::Float(_), Object::Float(_)) => same(left, right),
        _ if left.is(right) => Some(true),
        _ => same(left, right),
    }
}

/// Whether the items of two containers are the same or equal.
pub(crate) fn identical_or_equal(left: &Object, right: &Object) -> bool {
    identical_or_same(left, right).unwrap_or_else(|| compare(left, right, 0))
}

fn compare(left: &Object, right: &Object, depth: usize) -> bool {
    let mut comparison = Comparison {
        depth,
        pairs: Vec::new(),
        steps: 0,
        met: HashSet::new(),
    };
    comparison.pairs.push((left.clone(), right.clone()));
    comparison.run()
}

struct Comparison {
    depth: usize,
    /// What has still to be equal.
    pairs: Vec<(Object, Object)>,
    steps: usize,
    met: HashSet<(usize, usize)>,
}

impl Comparison {
    fn run(&mut self) -> bool {
        while let Some((left, right)) = self.pairs.pop() {
            self.steps += 1;
            if self.steps > FORGETFUL && !self.met.insert((left.address(), right.address())) {
                continue;
            }
            if !self.step(&left, &right) {
                return false;
            }
        }
        true
    }

    fn step(&mut self, left: &Object, right: &Object) -> bool {
        match (left, right) {
            (Object::List(left), Object::List(right)) => {
                let (left, right) = lock_both(left, right);
                self.slices(&left, &right)
            }
            (Object::Tuple(left), Object::Tuple(right)) => self.slices(left, right),
            (Object::Dict(left), Object::Dict(right)) => self.dicts(left, right),
            (Object::Instance(left), Object::Instance(right)) => self.instances(left, right),
            _ => self.sets(left, right),
        }
    }

    fn slices(&mut self, left: &[Object], right: &[Object]) -> bool {
        left.len() == right.len()
            && std::iter::zip(left, right).all(|(left, right)| self.item(left, right))
    }

    /// Answers now if that can be done without looking into the two.
    fn item(&mut self, left: &Object, right: &Object) -> bool {
        identical_or_same(left, right).unwrap_or_else(|| {
            self.pairs.push((left.clone(), right.clone()));
            true
        })
    }

    fn dicts(&mut self, left: &Dict, right: &Dict) -> bool {
        let (left, right) = (left.snapshot(), right.snapshot());
        left.len() == right.len()
            && left.iter().all(|entry| {
                let Some(found) = self.counterpart(entry.hash, &entry.key, &right) else {
                    return false;
                };
                right
                    .get(found)
                    .is_some_and(|other| self.item(&entry.value, &other.value))
            })
    }

    fn sets(&mut self, left: &Object, right: &Object) -> bool {
        let (Some(left), Some(right)) = (left.set_snapshot(), right.set_snapshot()) else {
            return false;
        };
        left.len() == right.len()
            && left
                .iter()
                .all(|entry| self.counterpart(entry.hash, &entry.key, &right).is_some())
    }

    /// The entry that has an equal key, provided that what is left to compare is equal.
    fn counterpart<V>(&mut self, hash: u64, key: &Object, table: &Table<V>) -> Option<usize> {
        let mut unsure = Vec::new();
        let certain = table.find(hash, |other| {
            let answer = identical_or_same(key, other);
            if answer.is_none() {
                unsure.push(other.clone());
            }
            Ok::<_, std::convert::Infallible>(answer == Some(true))
        });
        let Ok(certain) = certain;
        if certain.is_some() {
            return certain;
        }
        let chosen = match &*unsure {
            [] => return None,
            [only] => {
                self.pairs.push((key.clone(), only.clone()));
                only
            }
            _ if self.depth >= MAX_DEPTH => return None,
            several => several
                .iter()
                .find(|other| compare(key, other, self.depth + 1))?,
        };
        let Ok(found) = table.find(hash, |other| {
            Ok::<_, std::convert::Infallible>(other.is(chosen))
        });
        found
    }

    fn instances(&mut self, left: &Instance, right: &Instance) -> bool {
        if let (Some(left), Some(right)) = (builtin::range(left), builtin::range(right)) {
            return left == right;
        }
        let (steps, other_steps) = (left.steps(), right.steps());
        left.construction() == right.construction()
            && steps.len() == other_steps.len()
            && self.item(left.function(), right.function())
            && self.slices(left.args(), right.args())
            && match (left.kwargs(), right.kwargs()) {
                (Some(left), Some(right)) => {
                    self.item(&Object::Dict(left.clone()), &Object::Dict(right.clone()))
                }
                (left, right) => left.is_none() && right.is_none(),
            }
            && std::iter::zip(&steps, &other_steps).all(|(left, right)| self.steps(left, right))
    }

    fn steps(&mut self, left: &Step, right: &Step) -> bool {
        match (left, right) {
            (Step::Append(left), Step::Append(right)) | (Step::Add(left), Step::Add(right)) => {
                self.slices(left, right)
            }
            (Step::SetItems(left), Step::SetItems(right)) => {
                left.len() == right.len()
                    && std::iter::zip(left, right).all(|(left, right)| {
                        self.item(&left.0, &right.0) && self.item(&left.1, &right.1)
                    })
            }
            (Step::Build(left), Step::Build(right)) => self.item(left, right),
            (
                Step::SetState { setter, state },
                Step::SetState {
                    setter: other,
                    state: right,
                },
            ) => self.item(setter, other) && self.item(state, right),
            _ => false,
        }
    }
}

/// Locks two lists in an order that is the same for every thread.
pub(crate) fn lock_both<'a>(
    left: &'a List,
    right: &'a List,
) -> (MutexGuard<'a, Vec<Object>>, MutexGuard<'a, Vec<Object>>) {
    if left.address() < right.address() {
        let first = left.lock();
        (first, right.lock())
    } else {
        let first = right.lock();
        (left.lock(), first)
    }
}
