//! The machine that runs a pickle's instructions.

mod containers;
mod instances;
mod values;

use crate::literal::{self, Encoding};
use crate::opcode::*;
use crate::room::Room;
use crate::source::Source;
use crate::{Dict, Error, FrozenSet, HIGHEST_PROTOCOL, List, Object, Set, Tuple, UnpicklingError};

type Result<T> = std::result::Result<T, UnpicklingError>;

pub(crate) struct Machine<S> {
    source: S,
    room: Room,
    encoding: Encoding,
    protocol: u8,
}

impl<S: Source> Machine<S> {
    pub(crate) fn new(source: S, room: Room, encoding: Encoding) -> Self {
        Self {
            source,
            room,
            encoding,
            protocol: 0,
        }
    }

    /// The room, for the next pickle.
    pub(crate) fn into_room(self) -> Room {
        self.room
    }

    pub(crate) fn run(&mut self) -> Result<Object> {
        loop {
            match self.source.instruction()? {
                STOP => return self.pop(),
                instruction => self.step(instruction)?,
            }
        }
    }

    /// Empties what was made, after an error.
    pub(crate) fn break_cycles(&self) {
        self.room
            .memo
            .objects()
            .chain(&self.room.stack)
            .for_each(Object::break_cycle);
    }

    fn step(&mut self, instruction: u8) -> Result<()> {
        match instruction {
            MEMOIZE => {
                let top = self.top()?.clone();
                self.room.memo.push(top);
            }
            SHORT_BINUNICODE => {
                let length = self.byte()?;
                self.text(usize::from(length))?;
            }
            BINGET => {
                let index = self.byte()?;
                self.get(u64::from(index))?;
            }
            BININT1 => {
                let int = self.byte()?;
                self.push(i64::from(int));
            }
            MARK => self.room.marks.push(self.room.stack.len()),
            TUPLE => {
                let mark = self.pop_mark()?;
                self.tuple_from(mark);
            }
            TUPLE1 => self.tuple(1)?,
            TUPLE2 => self.tuple(2)?,
            TUPLE3 => self.tuple(3)?,
            EMPTY_TUPLE => self.push(Tuple::new()),
            EMPTY_LIST => self.push(List::new()),
            EMPTY_DICT => self.push(Dict::new()),
            EMPTY_SET => self.push(Set::new()),
            APPEND => {
                self.top()?;
                self.append(self.room.stack.len() - 1)?;
            }
            APPENDS => {
                let mark = self.pop_mark()?;
                self.append(mark)?;
            }
            SETITEM => {
                self.underneath(2)?;
                self.set_items(self.room.stack.len() - 2)?;
            }
            SETITEMS => {
                let mark = self.pop_mark()?;
                self.set_items(mark)?;
            }
            ADDITEMS => self.add_items()?,
            STACK_GLOBAL => self.stack_global()?,
            REDUCE => self.reduce()?,
            NEWOBJ => self.new_object()?,
            NEWOBJ_EX => self.new_object_ex()?,
            BUILD => self.build()?,
            NONE => self.push(Object::None),
            NEWTRUE => self.push(true),
            NEWFALSE => self.push(false),
            BININT | BININT2 | LONG1 | LONG4 | BINFLOAT => self.number(instruction)?,
            BINUNICODE | BINUNICODE8 | SHORT_BINBYTES | BINBYTES | BINBYTES8 | BYTEARRAY8
            | SHORT_BINSTRING | BINSTRING => self.counted(instruction)?,
            INT | LONG | FLOAT | STRING | UNICODE => self.line(instruction)?,
            LONG_BINGET => {
                let index = u32::from_le_bytes(self.source.array()?);
                self.get(u64::from(index))?;
            }
            GET => {
                let index = literal::index(self.source.line()?)?;
                self.get(index)?;
            }
            BINPUT => {
                let index = self.byte()?;
                self.put(u64::from(index))?;
            }
            LONG_BINPUT => {
                let index = u32::from_le_bytes(self.source.array()?);
                self.put(u64::from(index))?;
            }
            PUT => {
                let index = literal::index(self.source.line()?)?;
                self.put(index)?;
            }
            FROZENSET => {
                let mark = self.pop_mark()?;
                let set = FrozenSet::from_items(self.room.stack.drain(mark..))?;
                self.push(set);
            }
            LIST => {
                let mark = self.pop_mark()?;
                let list: List = self.room.stack.drain(mark..).collect();
                self.push(list);
            }
            DICT => {
                let mark = self.pop_mark()?;
                self.room.stack.insert(mark, Dict::new().into());
                self.set_items(mark + 1)?;
            }
            GLOBAL => {
                let global = self.named()?;
                self.push(global);
            }
            INST => {
                let class = self.named()?;
                let mark = self.pop_mark()?;
                self.instantiate(class.into(), mark);
            }
            OBJ => self.object()?,
            POP => self.discard()?,
            POP_MARK => {
                let mark = self.pop_mark()?;
                self.room.stack.truncate(mark);
            }
            DUP => {
                let top = self.top()?.clone();
                self.room.stack.push(top);
            }
            PROTO => self.proto()?,
            FRAME => {
                let length = u64::from_le_bytes(self.source.array()?);
                self.source.expect(length)?;
            }
            other => return Err(self.refuse(other)),
        }
        Ok(())
    }

    #[inline]
    fn push<T: Into<Object>>(&mut self, object: T) {
        self.room.stack.push(object.into());
    }

    fn byte(&mut self) -> Result<u8> {
        self.source.array().map(|[byte]| byte)
    }

    /// Complains unless so many objects are above the last mark.
    #[inline]
    fn underneath(&self, count: usize) -> Result<()> {
        match self.room.stack.len() - self.room.marks.last().unwrap_or(&0) >= count {
            true => Ok(()),
            false => Err(self.underflow()),
        }
    }

    #[cold]
    fn underflow(&self) -> UnpicklingError {
        UnpicklingError::new(match self.room.marks.is_empty() {
            true => "unpickling stack underflow",
            false => "unexpected MARK found",
        })
    }

    #[inline]
    fn top(&self) -> Result<&Object> {
        self.underneath(1)?;
        self.room.stack.last().ok_or_else(|| self.underflow())
    }

    #[inline]
    fn pop(&mut self) -> Result<Object> {
        self.underneath(1)?;
        self.room.stack.pop().ok_or_else(|| self.underflow())
    }

    #[inline]
    fn pop_mark(&mut self) -> Result<usize> {
        self.room
            .marks
            .pop()
            .ok_or_else(|| UnpicklingError::new("could not find MARK"))
    }

    fn get(&mut self, index: u64) -> Result<()> {
        let Some(object) = self.room.memo.get(index) else {
            return Err(UnpicklingError::new(format!(
                "Memo value not found at index {index}"
            )));
        };
        self.room.stack.push(object.clone());
        Ok(())
    }

    fn put(&mut self, index: u64) -> Result<()> {
        let top = self.top()?.clone();
        self.room.memo.put(index, top);
        Ok(())
    }

    /// The object below `from`, which what is above will become part of.
    fn target(&self, from: usize) -> Result<&Object> {
        let floor = self.room.marks.last().unwrap_or(&0);
        let below = from.checked_sub(1).filter(|below| below >= floor);
        below
            .and_then(|below| self.room.stack.get(below))
            .ok_or_else(|| self.underflow())
    }

    fn proto(&mut self) -> Result<()> {
        self.protocol = self.byte()?;
        match self.protocol <= HIGHEST_PROTOCOL {
            true => Ok(()),
            false => {
                let complaint = format!("unsupported pickle protocol: {}", self.protocol);
                Err(Error::ValueError(complaint).into())
            }
        }
    }

    #[cold]
    fn refuse(&self, instruction: u8) -> UnpicklingError {
        match instruction {
            PERSID | BINPERSID => UnpicklingError::new(
                "A load persistent id instruction was encountered, but no persistent_load \
                 function was specified.",
            ),
            EXT1 | EXT2 | EXT4 => Error::ValueError("unregistered extension code".into()).into(),
            NEXT_BUFFER | READONLY_BUFFER => UnpicklingError::new(
                "pickle stream refers to out-of-band data but no *buffers* argument was given",
            ),
            b' '..=b'~' => {
                UnpicklingError::new(format!("invalid load key, '{}'.", char::from(instruction)))
            }
            _ => UnpicklingError::new(format!("invalid load key, '\\x{instruction:02x}'.")),
        }
    }
}

fn lacks(object: &Object, attribute: &str) -> UnpicklingError {
    let name = object.type_name();
    UnpicklingError::new(format!("'{name}' object has no attribute '{attribute}'"))
}
