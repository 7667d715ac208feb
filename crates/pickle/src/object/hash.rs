//! Hashes under which objects that are equal in Python are equal too.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::{Object, builtin, deep_hash, int};
use crate::Error;

/// The secret of this process, so that nobody can choose keys that collide.
static SECRET: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    [random.hash_one(0), random.hash_one(1) | 1]
});

impl Object {
    /// The hash, Python's `hash(x)`: equal for equal objects, and different in each process.
    ///
    /// # Errors
    ///
    /// A `TypeError` for list, dict, set, bytearray and array, and for a tuple that holds one.
    ///
    /// ```
    /// use hilos_pickle::{List, Object};
    ///
    /// assert_eq!(Object::from(1).hash()?, Object::from(1.0).hash()?);
    /// let error = Object::from(List::new()).hash().unwrap_err();
    /// assert_eq!(error.to_string(), "unhashable type: 'list'");
    /// # Ok::<(), hilos_pickle::Error>(())
    /// ```
    ///
    /// # Differences from Python
    ///
    /// An instance of a class that is not known here hashes by what it was made from and by its state,
    /// or by its identity if those cannot be hashed.
    pub fn hash(&self) -> Result<u64, Error> {
        match self {
            Self::Tuple(_) | Self::Instance(_) => match shallow(self) {
                Some(hash) => Ok(hash),
                None => deep_hash::of(self),
            },
            other => shallow(other).ok_or_else(|| Error::unhashable(other)),
        }
    }
}

/// The hash of what holds no other object, or knows its hash.
#[inline]
pub(crate) fn shallow(object: &Object) -> Option<u64> {
    Some(match object {
        Object::Str(text) => of_bytes(text.as_wtf8()),
        Object::Int(int) => of_int(*int),
        Object::Bytes(bytes) => of_bytes(bytes),
        Object::None => 0x9d1f_7a3b_52c6_e80d,
        Object::Bool(bool) => of_int(i64::from(*bool)),
        Object::BigInt(big) => of_bytes(big.to_signed_bytes_le()),
        Object::Float(float) => of_float(*float),
        Object::Global(global) => combine(
            2,
            [global.module(), global.name()].map(|name| of_bytes(name.as_wtf8())),
        ),
        Object::FrozenSet(set) => set.hash(),
        Object::Tuple(tuple) if tuple.is_empty() => combine(0, []),
        Object::Tuple(tuple) => return tuple.known_hash(),
        Object::Instance(instance) => match (builtin::real(instance), builtin::range(instance)) {
            (Some(real), _) => of_float(real),
            (_, Some(range)) => combine(3, range.map(|part| part as u64)),
            _ => return None,
        },
        _ => return None,
    })
}

/// Multiplies eight bytes at a time by a secret, and folds the product.
fn of_bytes(bytes: &[u8]) -> u64 {
    let secret = *SECRET;
    let (words, rest) = bytes.as_chunks();
    let fold = |state, word: &[u8; 8]| mix(state, u64::from_le_bytes(*word), secret);
    let state = words.iter().fold(bytes.len() as u64, fold);
    let last = rest
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(state, last, secret)
}

fn of_int(int: i64) -> u64 {
    mix(1, int as u64, *SECRET)
}

#[inline]
fn mix(state: u64, word: u64, [first, second]: [u64; 2]) -> u64 {
    let product = u128::from(state ^ word ^ first) * u128::from(second);
    product as u64 ^ (product >> 64) as u64
}

fn of_float(float: f64) -> u64 {
    match (int::i64_from_float(float), int::big_from_float(float)) {
        (Some(int), _) => of_int(int),
        (None, Some(big)) => of_bytes(big.to_signed_bytes_le()),
        (None, None) => mix(2, float.to_bits(), *SECRET),
    }
}

/// In the order of the items.
pub(super) fn combine<I: IntoIterator<Item = u64>>(length: usize, hashes: I) -> u64 {
    let secret = *SECRET;
    let mix = |state: u64, hash: u64| mix(state.rotate_left(23), hash, secret);
    hashes.into_iter().fold(length as u64, mix).max(1)
}

/// Of what is only equal to itself.
pub(super) fn of_address(address: usize) -> u64 {
    mix(3, address as u64, *SECRET)
}

/// Of items in any order.
pub(crate) fn of_set<I: IntoIterator<Item = u64>>(hashes: I) -> u64 {
    let spread = |hash: u64| (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let sum = |sum: u64, hash| sum.wrapping_add(spread(hash));
    hashes.into_iter().fold(0x51_7cc1_b727_220a, sum)
}
