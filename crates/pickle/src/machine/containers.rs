//! Tuples, and what is added to other containers.

use super::{Machine, Result, lacks};
use crate::source::Source;
use crate::{Error, Object, Step, Tuple, UnpicklingError};

impl<S: Source> Machine<S> {
    pub(super) fn tuple(&mut self, length: usize) -> Result<()> {
        self.underneath(length)?;
        self.tuple_from(self.room.stack.len() - length);
        Ok(())
    }

    /// Makes what is above this height a tuple; moved as a block, which beats going through the items.
    pub(super) fn tuple_from(&mut self, from: usize) {
        let items = match from {
            0 => {
                let mut items = Vec::with_capacity(self.room.stack.len());
                items.append(&mut self.room.stack);
                items
            }
            _ => self.room.stack.split_off(from),
        };
        self.push(Tuple::from(items));
    }

    pub(super) fn append(&mut self, from: usize) -> Result<()> {
        match self.target(from)?.clone() {
            Object::List(list) => list.lock().extend(self.room.stack.drain(from..)),
            Object::Instance(instance) => {
                instance.push(Step::Append(self.room.stack.drain(from..).collect()));
            }
            other => return Err(lacks(&other, "append")),
        }
        Ok(())
    }

    pub(super) fn set_items(&mut self, from: usize) -> Result<()> {
        let target = self.target(from)?.clone();
        if (self.room.stack.len() - from) % 2 == 1 {
            return Err(UnpicklingError::new("odd number of items for SETITEMS"));
        }
        let pairs = Pairs(self.room.stack.drain(from..));
        match target {
            Object::Dict(dict) => dict.update(pairs)?,
            Object::Instance(instance) => instance.push(Step::SetItems(pairs.collect())),
            other => {
                let name = other.type_name();
                let complaint = format!("'{name}' object does not support item assignment");
                return Err(Error::TypeError(complaint).into());
            }
        }
        Ok(())
    }

    pub(super) fn add_items(&mut self) -> Result<()> {
        let mark = self.pop_mark()?;
        match self.target(mark)?.clone() {
            Object::Set(set) => set.update(self.room.stack.drain(mark..))?,
            Object::Instance(instance) => {
                instance.push(Step::Add(self.room.stack.drain(mark..).collect()));
            }
            other => return Err(lacks(&other, "add")),
        }
        Ok(())
    }
}

/// Keys and values that take turns.
struct Pairs<I>(I);

impl<I: ExactSizeIterator<Item = Object>> Iterator for Pairs<I> {
    type Item = (Object, Object);

    #[inline]
    fn next(&mut self) -> Option<(Object, Object)> {
        Some((self.0.next()?, self.0.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let pairs = self.0.len() / 2;
        (pairs, Some(pairs))
    }
}
