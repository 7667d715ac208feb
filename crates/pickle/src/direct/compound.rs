//! Lists, tuples and dicts that are being written, item by item.

use serde::ser::{self, Serialize};

use super::writer::Writer;
use super::{Place, Result, Serializer};
use crate::PicklingError;
use crate::encoder::BATCH;
use crate::opcode::*;

/// What a list, tuple or dict becomes part of at its end.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Plain,
    /// Of a call, as its arguments.
    Args,
    /// Of an instance, as its attributes.
    State,
    /// Of a tuple of two, whose first is the variant's name.
    Variant,
}

pub(super) struct Compound<'w, 'm> {
    pub(super) writer: &'w mut Writer<'m>,
    /// Where the items stand.
    pub(super) place: Place,
    /// How many items there will be, if that is known beforehand; a hint for lists and dicts alone.
    pub(super) announced: Option<usize>,
    pub(super) count: usize,
    pub(super) shape: Shape,
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
