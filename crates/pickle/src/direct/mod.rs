//! Straight from serde's values to the bytes of a pickle; only what is an object already is one here.

mod compound;
mod writer;

use compound::{Compound, Shape};
use serde::ser::{self, Serialize};
use writer::{Names, Writer};

use crate::encoder::Encoder;
use crate::identity::Identities;
use crate::object::Object;
use crate::opcode::*;
use crate::ser::whole;
use crate::{Bytes, Dict, Error, List, PicklingError, pickler};

type Result<T> = std::result::Result<T, PicklingError>;

/// The pickle of a value.
pub(crate) fn dump<T: Serialize + ?Sized>(value: &T, protocol: u8) -> Result<Vec<u8>> {
    pickler::check(protocol)?;
    let mut memo = Identities::default();
    let mut writer = Writer {
        encoder: Encoder::new(protocol, &mut memo, false),
        names: Names::default(),
    };
    value.serialize(Serializer {
        writer: &mut writer,
        place: Place::Top,
    })?;
    Ok(writer.encoder.finish())
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// It is the whole value.
    Top,
    Inside,
    /// In a key, which must have a hash.
    Key,
}

impl Place {
    fn inside(self) -> Self {
        match self {
            Self::Key => Self::Key,
            Self::Top | Self::Inside => Self::Inside,
        }
    }
}

struct Serializer<'w, 'm> {
    writer: &'w mut Writer<'m>,
    place: Place,
}

impl<'w, 'm> Serializer<'w, 'm> {
    /// Complains about what has no hash in a key.
    fn begin(&mut self, instruction: u8, example: fn() -> Object) -> Result<()> {
        if self.place == Place::Key {
            return Err(Error::unhashable(&example()).into());
        }
        self.writer.encoder.out.push(instruction);
        self.writer.encoder.count();
        Ok(())
    }

    fn object(self, object: &Object) -> Result<()> {
        self.writer.encoder.whole(object, 0)
    }

    fn items(self, announced: Option<usize>, shape: Shape) -> Compound<'w, 'm> {
        Compound {
            writer: self.writer,
            place: self.place.inside(),
            announced,
            count: 0,
            shape,
        }
    }

    #[inline]
    fn list(mut self, length: Option<usize>) -> Result<Compound<'w, 'm>> {
        self.begin(EMPTY_LIST, || List::new().into())?;
        Ok(self.items(length, Shape::Plain))
    }

    #[inline]
    fn dict(mut self, length: Option<usize>, shape: Shape) -> Result<Compound<'w, 'm>> {
        self.begin(EMPTY_DICT, || Dict::new().into())?;
        Ok(self.items(length, shape))
    }

    fn tuple(self, length: usize, shape: Shape) -> Compound<'w, 'm> {
        if length > 3 {
            self.writer.encoder.out.push(MARK);
        }
        self.items(Some(length), shape)
    }
}

macro_rules! serialize_values {
    ($($name:ident($self:ident, $value:ident: $type:ty) $body:block)*) => {$(
        #[inline]
        fn $name($self, $value: $type) -> Result<()> {
            $body
            Ok(())
        }
    )*};
}

impl<'w, 'm> ser::Serializer for Serializer<'w, 'm> {
    type Ok = ();
    type Error = PicklingError;
    type SerializeSeq = Compound<'w, 'm>;
    type SerializeTuple = Compound<'w, 'm>;
    type SerializeTupleStruct = Compound<'w, 'm>;
    type SerializeTupleVariant = Compound<'w, 'm>;
    type SerializeMap = Compound<'w, 'm>;
    type SerializeStruct = Compound<'w, 'm>;
    type SerializeStructVariant = Compound<'w, 'm>;

    serialize_values! {
        serialize_bool(self, value: bool) {
            self.writer.encoder.out.push(if value { NEWTRUE } else { NEWFALSE });
        }
        serialize_i8(self, value: i8) { self.writer.encoder.int(value.into()); }
        serialize_i16(self, value: i16) { self.writer.encoder.int(value.into()); }
        serialize_i32(self, value: i32) { self.writer.encoder.int(value.into()); }
        serialize_i64(self, value: i64) { self.writer.encoder.int(value); }
        serialize_i128(self, value: i128) { self.object(&value.into())?; }
        serialize_u8(self, value: u8) { self.writer.encoder.int(value.into()); }
        serialize_u16(self, value: u16) { self.writer.encoder.int(value.into()); }
        serialize_u32(self, value: u32) { self.writer.encoder.int(value.into()); }
        serialize_u64(self, value: u64) { self.object(&value.into())?; }
        serialize_u128(self, value: u128) { self.object(&value.into())?; }
        serialize_f32(self, value: f32) { self.writer.encoder.float(value.into()); }
        serialize_f64(self, value: f64) { self.writer.encoder.float(value); }
        serialize_char(self, value: char) {
            self.writer.encoder.new_text(value.encode_utf8(&mut [0; 4]).as_bytes())?;
        }
        serialize_str(self, value: &str) { self.writer.encoder.new_text(value.as_bytes())?; }
        serialize_bytes(self, value: &[u8]) { self.object(&Bytes::from(value).into())?; }
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.writer.encoder.out.push(NONE);
        Ok(())
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<()> {
        match self.writer.class(name)? {
            true => Ok(()),
            false => self.serialize_unit(),
        }
    }

    fn serialize_unit_variant(self, _: &str, _: u32, variant: &'static str) -> Result<()> {
        self.writer.name(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        if let Some(object) = whole(name, value)? {
            // This handle, and the value's.
            let once = if self.place == Place::Top { 2 } else { 0 };
            if self.place == Place::Key {
                object.hash()?;
            }
            return self.writer.encoder.whole(&object, once);
        }
        if !self.writer.class(name)? {
            return value.serialize(self);
        }
        let writer = self.writer;
        value.serialize(Serializer {
            writer,
            place: Place::Inside,
        })?;
        writer.tuple(1);
        writer.made(REDUCE);
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let (writer, place) = (self.writer, self.place.inside());
        writer.name(variant)?;
        value.serialize(Serializer { writer, place })?;
        writer.tuple(2);
        Ok(())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Compound<'w, 'm>> {
        self.list(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Compound<'w, 'm>> {
        Ok(self.tuple(length, Shape::Plain))
    }

    fn serialize_tuple_struct(
        mut self,
        name: &'static str,
        length: usize,
    ) -> Result<Compound<'w, 'm>> {
        if self.writer.class(name)? {
            self.place = Place::Inside;
            return Ok(self.tuple(length, Shape::Args));
        }
        Ok(self.tuple(length, Shape::Plain))
    }

    fn serialize_tuple_variant(
        self,
        _: &str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Compound<'w, 'm>> {
        self.writer.name(variant)?;
        Ok(self.tuple(length, Shape::Variant))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Compound<'w, 'm>> {
        self.dict(length, Shape::Plain)
    }

    fn serialize_struct(mut self, name: &'static str, length: usize) -> Result<Compound<'w, 'm>> {
        if self.writer.class(name)? {
            self.place = Place::Inside;
            self.writer.encoder.out.extend(&[EMPTY_TUPLE, NEWOBJ]);
            self.writer.encoder.count();
            return self.dict(Some(length), Shape::State);
        }
        self.dict(Some(length), Shape::Plain)
    }

    fn serialize_struct_variant(
        self,
        _: &str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Compound<'w, 'm>> {
        self.writer.name(variant)?;
        self.dict(Some(length), Shape::Variant)
    }
}
