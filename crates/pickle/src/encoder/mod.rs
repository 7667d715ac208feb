//! Writes an object's instructions, as CPython's own pickler chooses them.

mod containers;
mod globals;
mod instances;
mod values;

use std::collections::HashMap;

use instances::{Batches, as_call, batches};

use crate::frames::Frames;
use crate::identity::Identities;
use crate::object::Object;
use crate::opcode::*;
use crate::{Dict, FrozenSet, Instance, List, PicklingError, Str, Tuple};

/// How many items one instruction adds to a container at most.
const BATCH: usize = 1000;

type Result<T> = std::result::Result<T, PicklingError>;

pub(crate) struct Encoder<'m> {
    out: Frames,
    protocol: u8,
    memo: &'m mut Identities,
    /// What has still to be written, the next at the end.
    work: Vec<Work>,
    /// Whether later pickles will refer to what this one writes.
    lasting: bool,
    /// Names of nested classes, one object each, as in Python.
    parts: HashMap<String, Str>,
}

enum Work {
    Save(Object),
    /// As `Save`, of what is known to be new and no leaf.
    Start(Object),
    Instruction(u8),
    /// The object is made, and can be referred to.
    Memoize(Object),
    /// The instance is made, what is done to it follows.
    Made(Instance),
    Boundary,
    /// The rest of a container, from a position on.
    Tuple(Tuple, usize),
    List(List, usize),
    /// Of a dict also how many keys are written.
    Dict(Dict, usize, usize),
    FrozenSet(FrozenSet, usize),
    Batches(Box<Batches>),
}

impl<'m> Encoder<'m> {
    pub(crate) fn new(protocol: u8, memo: &'m mut Identities, lasting: bool) -> Self {
        Self {
            out: Frames::new(),
            protocol,
            memo,
            work: Vec::with_capacity(8),
            lasting,
            parts: HashMap::new(),
        }
    }

    pub(crate) fn run(mut self, object: &Object) -> Result<Vec<u8>> {
        self.out.extend(&[PROTO, self.protocol]);
        if self.protocol >= 4 {
            self.out.open();
        }
        self.save(object)?;
        while let Some(work) = self.work.pop() {
            self.go_on(work)?;
        }
        self.out.push(STOP);
        Ok(self.out.finish())
    }

    fn go_on(&mut self, work: Work) -> Result<()> {
        match work {
            Work::Save(object) => return self.save(&object),
            Work::Start(object) => return self.start(&object),
            Work::Instruction(instruction) => self.out.push(instruction),
            Work::Memoize(object) => self.memoize(object),
            Work::Made(instance) => self.made(instance),
            Work::Boundary => self.out.boundary(),
            Work::Tuple(tuple, next) => return self.tuple(tuple, next),
            Work::List(list, next) => return self.list(list, next),
            Work::Dict(dict, next, written) => return self.dict(dict, next, written),
            Work::FrozenSet(set, next) => return self.frozen_set(set, next),
            Work::Batches(batches) => return self.batches(batches),
        }
        Ok(())
    }

    fn save(&mut self, object: &Object) -> Result<()> {
        match self.save_leaf(object)? {
            true => Ok(()),
            false => self.start(object),
        }
    }

    /// Writes what needs no work left for later; whether it was that.
    #[inline]
    fn save_leaf(&mut self, object: &Object) -> Result<bool> {
        match object {
            Object::None => self.out.push(NONE),
            Object::Bool(true) => self.out.push(NEWTRUE),
            Object::Bool(false) => self.out.push(NEWFALSE),
            Object::Int(int) => self.int(*int),
            Object::BigInt(big) => self.long(big.to_signed_bytes_le())?,
            Object::Float(float) => {
                self.out.push(BINFLOAT);
                self.out.extend(&float.to_be_bytes());
            }
            Object::Tuple(tuple) if tuple.is_empty() => self.out.push(EMPTY_TUPLE),
            other => {
                if let Some(number) = self.memo.get(other.address()) {
                    self.get(number);
                    return Ok(true);
                }
                return self.save_new_leaf(other);
            }
        }
        Ok(true)
    }

    /// As `save_leaf`, of what a container that can change holds, which is written but once.
    #[inline]
    fn save_item(&mut self, object: &Object) -> Result<bool> {
        match object {
            Object::Str(text) if text.is_unique() && !self.lasting => {
                self.only_text(text)?;
                Ok(true)
            }
            _ => self.save_leaf(object),
        }
    }

    #[inline]
    fn save_new_leaf(&mut self, object: &Object) -> Result<bool> {
        match object {
            Object::Str(text) => self.text(text)?,
            Object::Bytes(bytes) if self.protocol >= 3 => self.bytes(bytes)?,
            Object::ByteArray(bytes) if self.protocol >= 5 => self.byte_array(bytes),
            Object::Global(global) => self.global(global)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn get(&mut self, number: usize) {
        match u8::try_from(number) {
            Ok(short) => self.out.extend(&[BINGET, short]),
            Err(_) => {
                self.out.push(LONG_BINGET);
                self.out.extend(&(number as u32).to_le_bytes());
            }
        }
    }

    #[inline]
    fn memoize(&mut self, object: Object) {
        let number = self.memo.insert(object);
        self.put(number);
    }

    #[inline]
    fn put(&mut self, number: usize) {
        if self.protocol >= 4 {
            return self.out.push(MEMOIZE);
        }
        match u8::try_from(number) {
            Ok(short) => self.out.extend(&[BINPUT, short]),
            Err(_) => {
                self.out.push(LONG_BINPUT);
                self.out.extend(&(number as u32).to_le_bytes());
            }
        }
    }

    /// Begins a container, or a value that this protocol writes as a call.
    fn start(&mut self, object: &Object) -> Result<()> {
        match object {
            Object::List(list) => self.start_list(list),
            Object::Tuple(tuple) => {
                if tuple.len() > 3 {
                    self.out.push(MARK);
                }
                self.tuple(tuple.clone(), 0)
            }
            Object::Dict(dict) => self.start_dict(dict),
            Object::Set(set) if self.protocol >= 4 => {
                self.out.push(EMPTY_SET);
                self.memoize(object.clone());
                let items = set.to_vec();
                if items.is_empty() {
                    self.out.boundary();
                    return Ok(());
                }
                self.out.push(MARK);
                self.work.push(Work::Boundary);
                self.work.push(batches(items, 1, None, ADDITEMS));
                Ok(())
            }
            Object::FrozenSet(set) if self.protocol >= 4 => {
                self.out.push(MARK);
                self.frozen_set(set.clone(), 0)
            }
            Object::Instance(instance) => {
                self.start_instance(instance);
                Ok(())
            }
            other => {
                let (function, args) = as_call(other);
                let finally = Work::Memoize(other.clone());
                self.call(function.clone(), args, finally);
                Ok(())
            }
        }
    }
}
