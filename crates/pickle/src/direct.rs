//! Straight from serde's values to the bytes of a pickle; only what is an object already is one here.

use serde::ser::{self, Serialize};

use crate::encoder::{BATCH, Encoder};
use crate::identity::Identities;
use crate::object::Object;
use crate::opcode::*;
use crate::ser::{class, whole};
use crate::{Bytes, Dict, Error, Global, List, PicklingError, pickler};

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

struct Writer<'m> {
    encoder: Encoder<'m>,
    names: Names,
}

/// What stands for itself wherever it occurs: names of fields and variants, and classes.
#[derive(Default)]
struct Names {
    /// With their numbers in the memo, in the order of appearance.
    known: Vec<(&'static str, usize)>,
    /// Where the next is if names come in the same order as before.
    next: usize,
    classes: Vec<(&'static str, Option<Global>)>,
}

impl Names {
    #[inline]
    fn find(&mut self, name: &'static str) -> Option<usize> {
        let same = |(known, _): &&(&str, usize)| std::ptr::eq(*known, name);
        if self.known.get(self.next).filter(same).is_none() {
            self.next = self.known.iter().position(|known| same(&known))?;
        }
        self.next += 1;
        Some(self.known[self.next - 1].1)
    }

    /// The class that the name stands for if it has a dot.
    fn class(&mut self, name: &'static str) -> Option<Global> {
        let mut classes = self.classes.iter();
        if let Some((_, class)) = classes.find(|(known, _)| std::ptr::eq(*known, name)) {
            return class.clone();
        }
        let class = class(name);
        self.classes.push((name, class.clone()));
        class
    }
}

impl Writer<'_> {
    #[inline]
    fn name(&mut self, name: &'static str) -> Result<()> {
        if let Some(number) = self.names.find(name) {
            self.encoder.get(number);
        } else {
            let number = self.encoder.new_text(name.as_bytes())?;
            self.names.known.push((name, number));
            self.names.next = self.names.known.len();
        }
        Ok(())
    }

    /// The class that the name stands for, if it does; whether it does.
    #[inline]
    fn class(&mut self, name: &'static str) -> Result<bool> {
        match self.names.class(name) {
            Some(class) => self.encoder.whole(&class.into(), 0).map(|()| true),
            None => Ok(false),
        }
    }

    /// What was made is complete.
    fn made(&mut self, instruction: u8) {
        self.encoder.out.push(instruction);
        self.encoder.count();
        self.encoder.out.boundary();
    }

    fn tuple(&mut self, length: usize) {
        match length {
            0 => self.encoder.out.push(EMPTY_TUPLE),
            _ => self.made([TUPLE1, TUPLE2, TUPLE3, TUPLE][length.min(4) - 1]),
        }
    }
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

/// What a list, tuple or dict becomes part of at its end.
#[derive(Clone, Copy)]
enum Shape {
    Plain,
    /// Of a call, as its arguments.
    Args,
    /// Of an instance, as its attributes.
    State,
    /// Of a tuple of two, whose first is the variant's name.
    Variant,
}

struct Compound<'w, 'm> {
    writer: &'w mut Writer<'m>,
    /// Where the items stand.
    place: Place,
    /// How many items there will be, if that is known beforehand; a hint for lists and dicts alone.
    announced: Option<usize>,
    count: usize,
    shape: Shape,
}

impl Compound<'_, '_> {
    /// Before each item of a list, and each key of a dict: a single one needs no mark.
    #[inline]
    fn next(&mut self, one: u8, many: u8) {
        let out = &mut self.writer.encoder.out;
        match self.count {
            0 if self.announced == Some(1) => {}
            0 => out.push(MARK),
            1 if self.announced == Some(1) => {
                out.extend(&[one, MARK]);
                self.announced = None;
            }
            count if count.is_multiple_of(BATCH) => out.extend(&[many, MARK]),
            _ => {}
        }
        self.count += 1;
    }

    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(Serializer {
            writer: &mut *self.writer,
            place: self.place,
        })
    }

    /// After the last item of a list or dict.
    #[inline]
    fn complete(&mut self, one: u8, many: u8) {
        let out = &mut self.writer.encoder.out;
        match (self.count, self.announced) {
            (0, _) => {}
            (1, Some(1)) => out.push(one),
            // Unlike a list's, a full batch of a dict's always has another after it.
            (count, _) if many == SETITEMS && count.is_multiple_of(BATCH) => {
                out.extend(&[many, MARK, many]);
            }
            _ => out.push(many),
        }
        out.boundary();
    }

    #[inline]
    fn finish_dict(mut self) -> Result<()> {
        self.complete(SETITEM, SETITEMS);
        match self.shape {
            Shape::State => {
                self.writer.encoder.out.push(BUILD);
                self.writer.encoder.out.boundary();
            }
            Shape::Variant => self.writer.tuple(2),
            Shape::Plain | Shape::Args => {}
        }
        Ok(())
    }

    fn finish_tuple(self) -> Result<()> {
        let marked = self.announced.is_some_and(|length| length > 3);
        if !marked && self.count > 3 {
            let complaint = "a tuple has more items than its Serialize has announced";
            return Err(PicklingError::new(complaint));
        }
        self.writer.tuple(if marked { 4 } else { self.count });
        match self.shape {
            Shape::Args => self.writer.made(REDUCE),
            Shape::Variant => self.writer.tuple(2),
            Shape::Plain | Shape::State => {}
        }
        Ok(())
    }
}

impl ser::SerializeSeq for Compound<'_, '_> {
    type Ok = ();
    type Error = PicklingError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.next(APPEND, APPENDS);
        self.item(value)
    }

    #[inline]
    fn end(mut self) -> Result<()> {
        self.complete(APPEND, APPENDS);
        Ok(())
    }
}

macro_rules! impl_tuple {
    ($($trait:ident::$method:ident,)*) => {$(
        impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = PicklingError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.count += 1;
                self.item(value)
            }

            fn end(self) -> Result<()> {
                self.finish_tuple()
            }
        }
    )*};
}
impl_tuple! {
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = PicklingError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.next(SETITEM, SETITEMS);
        key.serialize(Serializer {
            writer: &mut *self.writer,
            place: Place::Key,
        })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<()> {
        self.finish_dict()
    }
}

macro_rules! impl_struct {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = PicklingError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<()> {
                self.next(SETITEM, SETITEMS);
                self.writer.name(name)?;
                self.item(value)
            }

            #[inline]
            fn end(self) -> Result<()> {
                self.finish_dict()
            }
        }
    )*};
}
impl_struct!(SerializeStruct SerializeStructVariant);
