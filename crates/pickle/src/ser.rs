//! From serde's values to objects.

use std::cell::RefCell;

use serde::ser::{self, Serialize};

use crate::by_name::ByName;
use crate::{Bytes, Dict, Global, Instance, List, Object, PicklingError, Str, Tuple, handover};

type Result<T> = std::result::Result<T, PicklingError>;

/// The object that a value becomes; see the [crate's page](crate#values) for what becomes what.
///
/// # Errors
///
/// If the value's `Serialize` fails, or a map's key cannot be hashed in Python.
///
/// ```
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Point { x: i32, y: Option<f64> }
///
/// let object = hilos_pickle::to_object(&Point { x: 1, y: None })?;
/// assert_eq!(object.to_string(), "{'x': 1, 'y': None}");
/// # Ok::<(), hilos_pickle::PicklingError>(())
/// ```
pub fn to_object<T: Serialize + ?Sized>(value: &T) -> Result<Object> {
    value.serialize(Serializer {
        names: &Names::default(),
    })
}

/// How many items are expected at most; a length is only a hint.
const MAX_CAPACITY: usize = 4096;

/// What stands for itself wherever it occurs, one object each, as in Python.
#[derive(Default)]
struct Names {
    /// Of fields and variants.
    texts: RefCell<ByName<Str>>,
    classes: RefCell<ByName<Option<Global>>>,
}

#[derive(Clone, Copy)]
struct Serializer<'n> {
    names: &'n Names,
}

impl Serializer<'_> {
    fn name(self, name: &'static str) -> Object {
        Object::Str(self.names.texts.borrow_mut().get(name, Str::from))
    }

    fn class(self, name: &'static str) -> Option<Global> {
        self.names.classes.borrow_mut().get(name, class)
    }

    /// A call of the class that the name stands for, or else what is inside.
    fn call(
        self,
        name: &'static str,
        args: Vec<Object>,
        or_else: impl FnOnce(Vec<Object>) -> Object,
    ) -> Object {
        match self.class(name) {
            Some(class) => Instance::reduce(class, Tuple::from(args)).into(),
            None => or_else(args),
        }
    }
}

/// The class that a name with a dot stands for.
pub(crate) fn class(name: &str) -> Option<Global> {
    let (module, name) = name.rsplit_once('.')?;
    Some(Global::new(module, name))
}

/// The object that a newtype of this name hands over, if it is one.
#[inline]
pub(crate) fn whole<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<Option<Object>> {
    if name != handover::TOKEN {
        return Ok(None);
    }
    match handover::receive(|| to_object(value).map(drop))? {
        Some(object) => Ok(Some(object)),
        None => Err(PicklingError::new("an object was lost on its way")),
    }
}

macro_rules! serialize_values {
    ($($name:ident: $type:ty,)*) => {$(
        fn $name(self, value: $type) -> Result<Object> {
            Ok(Object::from(value))
        }
    )*};
}

impl<'n> ser::Serializer for Serializer<'n> {
    type Ok = Object;
    type Error = PicklingError;
    type SerializeSeq = Sequence<'n>;
    type SerializeTuple = Sequence<'n>;
    type SerializeTupleStruct = Sequence<'n>;
    type SerializeTupleVariant = Sequence<'n>;
    type SerializeMap = Mapping<'n>;
    type SerializeStruct = Mapping<'n>;
    type SerializeStructVariant = Mapping<'n>;

    serialize_values! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Object> {
        Ok(Bytes::from(bytes).into())
    }

    fn serialize_none(self) -> Result<Object> {
        Ok(Object::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Object> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Object> {
        Ok(Object::None)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Object> {
        Ok(self.class(name).map_or(Object::None, Object::from))
    }

    fn serialize_unit_variant(self, _: &str, _: u32, variant: &'static str) -> Result<Object> {
        Ok(self.name(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Object> {
        if let Some(object) = whole(name, value)? {
            return Ok(object);
        }
        let inside = value.serialize(self)?;
        Ok(self.call(name, vec![inside], |mut args| {
            args.pop().unwrap_or(Object::None)
        }))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Object> {
        Ok(Tuple::from_iter([self.name(variant), value.serialize(self)?]).into())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Sequence<'n>> {
        Ok(Sequence::new(self, length, Shape::List))
    }

    fn serialize_tuple(self, length: usize) -> Result<Sequence<'n>> {
        Ok(Sequence::new(self, Some(length), Shape::Tuple))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Sequence<'n>> {
        Ok(Sequence::new(self, Some(length), Shape::Named(name)))
    }

    fn serialize_tuple_variant(
        self,
        _: &str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Sequence<'n>> {
        Ok(Sequence::new(self, Some(length), Shape::Variant(variant)))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Mapping<'n>> {
        Ok(Mapping::new(self, length.unwrap_or(0), Shape::Tuple))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Mapping<'n>> {
        Ok(Mapping::new(self, length, Shape::Named(name)))
    }

    fn serialize_struct_variant(
        self,
        _: &str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Mapping<'n>> {
        Ok(Mapping::new(self, length, Shape::Variant(variant)))
    }
}

/// What the items of a compound value become.
#[derive(Clone, Copy)]
enum Shape {
    List,
    Tuple,
    Named(&'static str),
    Variant(&'static str),
}

struct Sequence<'n> {
    serializer: Serializer<'n>,
    items: Vec<Object>,
    shape: Shape,
}

impl<'n> Sequence<'n> {
    fn new(serializer: Serializer<'n>, length: Option<usize>, shape: Shape) -> Self {
        let items = Vec::with_capacity(length.unwrap_or(0).min(MAX_CAPACITY));
        Self {
            serializer,
            items,
            shape,
        }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.items.push(value.serialize(self.serializer)?);
        Ok(())
    }

    fn finish(self) -> Result<Object> {
        let tuple = |items| Object::Tuple(Tuple::from(items));
        Ok(match self.shape {
            Shape::List => List::from(self.items).into(),
            Shape::Tuple => tuple(self.items),
            Shape::Named(name) => self.serializer.call(name, self.items, tuple),
            Shape::Variant(name) => tuple(vec![self.serializer.name(name), tuple(self.items)]),
        })
    }
}

macro_rules! impl_sequence {
    ($($trait:ident::$method:ident,)*) => {$(
        impl ser::$trait for Sequence<'_> {
            type Ok = Object;
            type Error = PicklingError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.push(value)
            }

            fn end(self) -> Result<Object> {
                self.finish()
            }
        }
    )*};
}
impl_sequence! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

struct Mapping<'n> {
    serializer: Serializer<'n>,
    pairs: Vec<(Object, Object)>,
    key: Object,
    shape: Shape,
}

impl<'n> Mapping<'n> {
    fn new(serializer: Serializer<'n>, length: usize, shape: Shape) -> Self {
        let (pairs, key) = (Vec::with_capacity(length.min(MAX_CAPACITY)), Object::None);
        Self {
            serializer,
            pairs,
            key,
            shape,
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        let value = value.serialize(self.serializer)?;
        self.pairs.push((self.serializer.name(name), value));
        Ok(())
    }

    fn finish(self) -> Result<Object> {
        let dict = Dict::new();
        dict.update(self.pairs)?;
        let dict = Object::Dict(dict);
        Ok(match self.shape {
            Shape::Variant(name) => Tuple::from_iter([self.serializer.name(name), dict]).into(),
            Shape::Named(name) => match self.serializer.class(name) {
                Some(class) => Instance::new_object(class, Tuple::new())
                    .with_state(dict)
                    .into(),
                None => dict,
            },
            Shape::List | Shape::Tuple => dict,
        })
    }
}

impl ser::SerializeMap for Mapping<'_> {
    type Ok = Object;
    type Error = PicklingError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = key.serialize(self.serializer)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = std::mem::replace(&mut self.key, Object::None);
        self.pairs.push((key, value.serialize(self.serializer)?));
        Ok(())
    }

    fn end(self) -> Result<Object> {
        self.finish()
    }
}

macro_rules! impl_mapping {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Mapping<'_> {
            type Ok = Object;
            type Error = PicklingError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<()> {
                self.field(name, value)
            }

            fn end(self) -> Result<Object> {
                self.finish()
            }
        }
    )*};
}
impl_mapping!(SerializeStruct SerializeStructVariant);
