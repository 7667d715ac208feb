//! From Rust's types to objects and back.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;

use super::{
    BigInt, ByteArray, Bytes, Dict, FrozenSet, Global, Instance, List, Object, Set, Str, Tuple,
    from_signed_bytes,
};
use crate::Error;

macro_rules! from_variants {
    ($($type:ty => $variant:ident,)*) => {$(
        impl From<$type> for Object {
            #[inline]
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
from_variants! {
    bool => Bool,
    i8 => Int,
    i16 => Int,
    i32 => Int,
    i64 => Int,
    u8 => Int,
    u16 => Int,
    u32 => Int,
    f32 => Float,
    f64 => Float,
    Str => Str,
    &str => Str,
    String => Str,
    Bytes => Bytes,
    &[u8] => Bytes,
    ByteArray => ByteArray,
    List => List,
    Tuple => Tuple,
    Dict => Dict,
    Set => Set,
    FrozenSet => FrozenSet,
    Global => Global,
    Instance => Instance,
}

macro_rules! from_wide {
    ($($type:ty)*) => {$(
        impl From<$type> for Object {
            fn from(value: $type) -> Self {
                match i64::try_from(value) {
                    Ok(int) => Self::Int(int),
                    Err(_) => wide(&value.to_le_bytes(), value < <$type>::default()),
                }
            }
        }
    )*};
}
from_wide!(u64 usize isize i128 u128);

/// An int from bytes whose highest bit need not be its sign.
fn wide(bytes: &[u8], negative: bool) -> Object {
    let mut bytes = bytes.to_vec();
    bytes.push(if negative { 0xff } else { 0 });
    from_signed_bytes(&bytes)
}

impl From<()> for Object {
    fn from((): ()) -> Self {
        Self::None
    }
}

impl From<char> for Object {
    fn from(character: char) -> Self {
        Self::from(&*character.encode_utf8(&mut [0; 4]))
    }
}

impl From<&Object> for Object {
    fn from(object: &Object) -> Self {
        object.clone()
    }
}

/// Of objects alone, so that a plain `None` is Python's `None`.
impl From<Option<Object>> for Object {
    fn from(option: Option<Object>) -> Self {
        option.unwrap_or(Self::None)
    }
}

impl<T: Into<Object>> From<Vec<T>> for Object {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Object>, const N: usize> From<[T; N]> for Object {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

macro_rules! from_tuples {
    ($($($name:ident)+,)*) => {$(
        impl<$($name: Into<Object>),+> From<($($name,)+)> for Object {
            #[allow(non_snake_case, reason = "one letter names the type and the value")]
            fn from(($($name,)+): ($($name,)+)) -> Self {
                Self::Tuple(Tuple::from_iter([$($name.into()),+]))
            }
        }
    )*};
}
from_tuples! {
    A,
    A B,
    A B C,
    A B C D,
    A B C D E,
    A B C D E F,
}

/// What a Rust map or set has for keys can be hashed in Python, too, save for lists in them.
macro_rules! try_from_collections {
    ($([$($bound:tt)*] $type:ty => $build:expr,)*) => {$(
        impl<K: Into<Object>, $($bound)*> TryFrom<$type> for Object {
            type Error = Error;

            fn try_from(value: $type) -> Result<Self, Error> {
                $build(value.into_iter())
            }
        }
    )*};
}
try_from_collections! {
    [V: Into<Object>, S: BuildHasher] HashMap<K, V, S> => dict,
    [V: Into<Object>] BTreeMap<K, V> => dict,
    [S: BuildHasher] HashSet<K, S> => set,
    [] BTreeSet<K> => set,
}

fn dict<K: Into<Object>, V: Into<Object>>(
    pairs: impl Iterator<Item = (K, V)>,
) -> Result<Object, Error> {
    let dict = Dict::new();
    dict.update(pairs.map(|(key, value)| (key.into(), value.into())))?;
    Ok(dict.into())
}

fn set<K: Into<Object>>(items: impl Iterator<Item = K>) -> Result<Object, Error> {
    Set::from_items(items.map(Into::into)).map(Object::from)
}

/// What a conversion says that wanted another type.
fn wrong_type(wanted: &str, found: &Object) -> Error {
    Error::TypeError(format!(
        "expected {wanted}, got '{}' object",
        found.type_name()
    ))
}

macro_rules! into_ints {
    ($($type:ty)*) => {$(
        impl TryFrom<&Object> for $type {
            type Error = Error;

            fn try_from(object: &Object) -> Result<Self, Error> {
                let converted = match object {
                    Object::Bool(bool) => Some(<$type>::from(*bool)),
                    Object::Int(int) => <$type>::try_from(*int).ok(),
                    Object::BigInt(big) => from_big(big)
                        .and_then(|wide| wide.map_or_else(|n| n.try_into().ok(), |n| n.try_into().ok())),
                    other => return Err(wrong_type("int", other)),
                };
                let complaint = concat!("Python int too large to convert to ", stringify!($type));
                converted.ok_or_else(|| Error::OverflowError(complaint.into()))
            }
        }
    )*};
}
into_ints!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

/// A number of up to 128 bits: not negative, or else negative.
fn from_big(big: &BigInt) -> Option<Result<u128, i128>> {
    let bytes = big.to_signed_bytes_le();
    let (low, sign) = bytes.split_at(bytes.len().min(16));
    let mut wide = [if big.is_negative() { 0xff } else { 0 }; 16];
    wide[..low.len()].copy_from_slice(low);
    match (big.is_negative(), sign) {
        (false, [] | [0]) => Some(Ok(u128::from_le_bytes(wide))),
        (true, []) => Some(Err(i128::from_le_bytes(wide))),
        _ => None,
    }
}

macro_rules! into_variants {
    ($($type:ty, $name:literal: $pattern:pat => $value:expr,)*) => {$(
        impl TryFrom<&Object> for $type {
            type Error = Error;

            fn try_from(object: &Object) -> Result<Self, Error> {
                match object {
                    $pattern => $value,
                    other => Err(wrong_type($name, other)),
                }
            }
        }
    )*};
}
into_variants! {
    (), "None": Object::None => Ok(()),
    bool, "bool": Object::Bool(bool) => Ok(*bool),
    Str, "str": Object::Str(text) => Ok(text.clone()),
    String, "str": Object::Str(text) => utf8(text).map(str::to_owned),
    Bytes, "bytes": Object::Bytes(bytes) => Ok(bytes.clone()),
    ByteArray, "bytearray": Object::ByteArray(bytes) => Ok(bytes.clone()),
    List, "list": Object::List(list) => Ok(list.clone()),
    Tuple, "tuple": Object::Tuple(tuple) => Ok(tuple.clone()),
    Dict, "dict": Object::Dict(dict) => Ok(dict.clone()),
    Set, "set": Object::Set(set) => Ok(set.clone()),
    FrozenSet, "frozenset": Object::FrozenSet(set) => Ok(set.clone()),
    Global, "type": Object::Global(global) => Ok(global.clone()),
}

impl<'a> TryFrom<&'a Object> for &'a str {
    type Error = Error;

    fn try_from(object: &'a Object) -> Result<Self, Error> {
        match object {
            Object::Str(text) => utf8(text),
            other => Err(wrong_type("str", other)),
        }
    }
}

fn utf8(text: &Str) -> Result<&str, Error> {
    let complaint = "'utf-8' codec can't encode a lone surrogate: surrogates not allowed";
    text.as_str()
        .ok_or_else(|| Error::ValueError(complaint.into()))
}

/// As Python's `float` does, the nearest one for an int.
impl TryFrom<&Object> for f64 {
    type Error = Error;

    fn try_from(object: &Object) -> Result<Self, Error> {
        let too_large = || Error::OverflowError("int too large to convert to float".into());
        match object {
            Object::Float(float) => Ok(*float),
            Object::Int(int) => Ok(*int as f64),
            Object::Bool(bool) => Ok(f64::from(u8::from(*bool))),
            Object::BigInt(big) => Some(big.to_f64())
                .filter(|float| float.is_finite())
                .ok_or_else(too_large),
            other => Err(wrong_type("float", other)),
        }
    }
}

/// The items of a list, tuple, set or frozenset at this moment.
impl TryFrom<&Object> for Vec<Object> {
    type Error = Error;

    fn try_from(object: &Object) -> Result<Self, Error> {
        match object {
            Object::List(list) => Ok(list.to_vec()),
            Object::Tuple(tuple) => Ok(tuple.to_vec()),
            Object::Set(set) => Ok(set.to_vec()),
            Object::FrozenSet(set) => Ok(set.iter().cloned().collect()),
            other => Err(Error::TypeError(format!(
                "'{}' object is not iterable",
                other.type_name()
            ))),
        }
    }
}

macro_rules! try_from_owned {
    ($($type:ty)*) => {$(
        impl TryFrom<Object> for $type {
            type Error = Error;

            fn try_from(object: Object) -> Result<Self, Error> {
                Self::try_from(&object)
            }
        }
    )*};
}
try_from_owned! {
    () bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f64 String Vec<Object>
    Str Bytes ByteArray List Tuple Dict Set FrozenSet Global
}
