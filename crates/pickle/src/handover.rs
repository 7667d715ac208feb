//! Objects among other values: how they pass through serde as they are.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::Object;

/// The name by which this crate's serializer and deserializer know that an object is wanted whole;
/// another format sees the values inside.
pub(crate) const TOKEN: &str = "$hilos_pickle::Object";

/// How deep other formats may see into an object, which takes recursion.
const MAX_DEPTH: usize = 128;

thread_local! {
    /// What one side of serde hands to the other, around the data model. Nothing lies there for long,
    /// and without a destructor it can be used while a thread or the program ends.
    static DESK: RefCell<ManuallyDrop<Desk>> = const { RefCell::new(ManuallyDrop::new(Desk::Empty)) };
}

enum Desk {
    Empty,
    /// This crate's serializer asks for the object.
    Wanted,
    Object(Object),
}

#[inline]
fn exchange(new: Desk) -> Desk {
    let old = DESK.with(|desk| desk.replace(ManuallyDrop::new(new)));
    ManuallyDrop::into_inner(old)
}

/// Lays the object there if it is wanted; whether it is.
#[inline]
fn answer(object: &Object) -> bool {
    DESK.with(|desk| {
        let mut desk = desk.borrow_mut();
        let wanted = matches!(**desk, Desk::Wanted);
        if wanted {
            *desk = ManuallyDrop::new(Desk::Object(object.clone()));
        }
        wanted
    })
}

/// Gets the object that `ask` serializes.
#[inline]
pub(crate) fn receive<E>(ask: impl FnOnce() -> Result<(), E>) -> Result<Option<Object>, E> {
    exchange(Desk::Wanted);
    let asked = ask();
    let desk = exchange(Desk::Empty);
    asked?;
    match desk {
        Desk::Object(object) => Ok(Some(object)),
        Desk::Empty | Desk::Wanted => Ok(None),
    }
}

/// Leaves the object for the visitor that `tell` calls.
#[inline]
pub(crate) fn give<R>(object: Object, tell: impl FnOnce() -> R) -> R {
    exchange(Desk::Object(object));
    let told = tell();
    exchange(Desk::Empty);
    told
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(TOKEN, &Whole(self))
    }
}

struct Whole<'a>(&'a Object);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match answer(self.0) {
            true => serializer.serialize_unit(),
            false => Plain(self.0, MAX_DEPTH).serialize(serializer),
        }
    }
}

/// An object for another format, and how deep to look.
struct Plain<'a>(&'a Object, usize);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(depth) = self.1.checked_sub(1) else {
            return Err(S::Error::custom("an object is nested too deep"));
        };
        match self.0 {
            Object::None => serializer.serialize_unit(),
            Object::Bool(bool) => serializer.serialize_bool(*bool),
            Object::Int(int) => serializer.serialize_i64(*int),
            Object::BigInt(big) => match (i128::try_from(self.0), u128::try_from(self.0)) {
                (Ok(int), _) => serializer.serialize_i128(int),
                (_, Ok(int)) => serializer.serialize_u128(int),
                _ => Err(S::Error::custom(format_args!(
                    "{big} has more than 128 bits"
                ))),
            },
            Object::Float(float) => serializer.serialize_f64(*float),
            Object::Str(text) => match text.as_str() {
                Some(text) => serializer.serialize_str(text),
                None => Err(S::Error::custom("a str holds a lone surrogate")),
            },
            Object::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Object::ByteArray(bytes) => serializer.serialize_bytes(&bytes.to_vec()),
            Object::List(list) => sequence(&list.to_vec(), depth, serializer),
            Object::Tuple(tuple) => sequence(tuple, depth, serializer),
            Object::Set(set) => sequence(&set.to_vec(), depth, serializer),
            Object::FrozenSet(set) => {
                sequence(&set.iter().cloned().collect::<Vec<_>>(), depth, serializer)
            }
            Object::Dict(dict) => {
                let pairs = dict.items();
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                for (key, value) in &pairs {
                    map.serialize_entry(&Plain(key, depth), &Plain(value, depth))?;
                }
                map.end()
            }
            Object::Global(_) | Object::Instance(_) => Err(S::Error::custom(format_args!(
                "{:?} has no plain value",
                self.0
            ))),
        }
    }
}

fn sequence<S: Serializer>(
    items: &[Object],
    depth: usize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(items.len()))?;
    for item in items {
        sequence.serialize_element(&Plain(item, depth))?;
    }
    sequence.end()
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TOKEN, ObjectVisitor)
    }
}

struct ObjectVisitor;

macro_rules! visit_values {
    ($($name:ident: $type:ty,)*) => {$(
        fn $name<E: de::Error>(self, value: $type) -> Result<Object, E> {
            Ok(Object::from(value))
        }
    )*};
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    visit_values! {
        visit_bool: bool,
        visit_i64: i64,
        visit_u64: u64,
        visit_i128: i128,
        visit_u128: u128,
        visit_f64: f64,
        visit_str: &str,
        visit_bytes: &[u8],
    }

    /// Python's `None`, or this crate's deserializer, which gives the object whole.
    fn visit_unit<E>(self) -> Result<Object, E> {
        match exchange(Desk::Empty) {
            Desk::Object(object) => Ok(object),
            Desk::Empty | Desk::Wanted => Ok(Object::None),
        }
    }

    fn visit_none<E>(self) -> Result<Object, E> {
        Ok(Object::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        Object::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Object, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Object, A::Error> {
        let mut items: Vec<Object> = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Object::from(items))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let dict = crate::Dict::new();
        while let Some((key, value)) = map.next_entry::<Object, Object>()? {
            dict.insert(key, value).map_err(de::Error::custom)?;
        }
        Ok(dict.into())
    }
}
