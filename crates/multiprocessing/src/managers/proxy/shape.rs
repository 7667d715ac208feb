//! What serde makes of a value, without making it.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

/// What a value serialises as, as far as arguments are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Tuple,
    Unit,
    Other,
}

impl Shape {
    /// Asks the value, which says so with its first word.
    pub(super) fn of<T: Serialize>(value: &T) -> Self {
        match value.serialize(Probe) {
            Ok(shape) | Err(shape) => shape,
        }
    }
}

/// That serialising goes no further, once the shape is known.
impl std::error::Error for Shape {}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl ser::Error for Shape {
    fn custom<M: fmt::Display>(_message: M) -> Self {
        Self::Other
    }
}

struct Probe;

type Found<T> = Result<T, Shape>;

macro_rules! others {
    ($($name:ident($($argument:ty),*);)*) => {$(
        fn $name(self, $(_: $argument),*) -> Found<Shape> {
            Ok(Shape::Other)
        }
    )*};
    ($($name:ident<T>($($argument:ty),*);)*) => {$(
        fn $name<T: Serialize + ?Sized>(self, $(_: $argument,)* _: &T) -> Found<Shape> {
            Ok(Shape::Other)
        }
    )*};
    ($($name:ident($($argument:ty),*) -> $compound:ident;)*) => {$(
        fn $name(self, $(_: $argument),*) -> Found<Self::$compound> {
            Err(Shape::Other)
        }
    )*};
}

impl Serializer for Probe {
    type Ok = Shape;
    type Error = Shape;
    type SerializeSeq = Impossible<Shape, Shape>;
    type SerializeTuple = Impossible<Shape, Shape>;
    type SerializeTupleStruct = Impossible<Shape, Shape>;
    type SerializeTupleVariant = Impossible<Shape, Shape>;
    type SerializeMap = Impossible<Shape, Shape>;
    type SerializeStruct = Impossible<Shape, Shape>;
    type SerializeStructVariant = Impossible<Shape, Shape>;

    fn serialize_tuple(self, length: usize) -> Found<Self::SerializeTuple> {
        Err(if length == 0 {
            Shape::Unit
        } else {
            Shape::Tuple
        })
    }

    fn serialize_unit(self) -> Found<Shape> {
        Ok(Shape::Unit)
    }

    others! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    others! {
        serialize_some<T>();
        serialize_newtype_struct<T>(&'static str);
        serialize_newtype_variant<T>(&'static str, u32, &'static str);
    }

    others! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}
