//! Writes an object's instructions, as CPython's own pickler chooses them.

mod containers;
mod globals;
mod instances;
mod values;

use instances::{Batches, as_call, batches};

use crate::frames::Frames;
use crate::identity::Identities;
use crate::object::Object;
use crate::opcode::*;
use crate::{Dict, FrozenSet, Instance, List, PicklingError, Step, Str, Tuple};

/// How many items one instruction adds to a container at most.
pub(crate) const BATCH: usize = 1000;

/// How deep recursion goes before what is around is put aside.
const MAX_DEPTH: usize = 64;

type Result<T> = std::result::Result<T, PicklingError>;

/// Containers are written by recursion, with the locks of those around held, which costs least. Where
/// that would go too deep, or would have to wait for a lock, what was begun is put aside from the inside
/// out until no lock is held; so no graph is too deep, and nobody waits for a lock who holds one.
pub(crate) struct Encoder<'m> {
    pub(crate) out: Frames,
    protocol: u8,
    memo: &'m mut Identities,
    /// What has still to be written, the next at the end.
    work: Vec<Work>,
    /// What was begun and has to wait for what could not be written now, the innermost first.
    aside: Vec<Work>,
    /// How many containers are being written by recursion.
    depth: usize,
    /// Whether later pickles will refer to what this one writes.
    lasting: bool,
    /// Names of nested classes, one object each, as in Python.
    parts: Vec<Str>,
}

enum Work {
    Save(Object),
    Instruction(u8),
    /// The object is made, and can be referred to.
    Memoize(Object),
    /// The instance is made, what is done to it follows.
    Made(Instance),
    Step(Instance, Step),
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
        let mut out = Frames::new();
        out.extend(&[PROTO, protocol]);
        if protocol >= 4 {
            out.open();
        }
        Self {
            out,
            protocol,
            memo,
            work: Vec::new(),
            aside: Vec::new(),
            depth: 0,
            lasting,
            parts: Vec::new(),
        }
    }

    /// The pickle, of which all is written.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.out.push(STOP);
        self.out.take()
    }

    /// Writes an object with all that is in it, of which so many handles are come across but `once`.
    pub(crate) fn whole(&mut self, object: &Object, once: usize) -> Result<()> {
        match self.save(object, once)? {
            true => Ok(()),
            false => self.rest(),
        }
    }

    /// What was put aside.
    #[cold]
    fn rest(&mut self) -> Result<()> {
        loop {
            self.work.extend(self.aside.drain(..).rev());
            match self.work.pop() {
                Some(work) => self.go_on(work)?,
                None => return Ok(()),
            };
        }
    }

    /// Does the work, or puts aside what is left of it; whether nothing is.
    fn go_on(&mut self, work: Work) -> Result<bool> {
        match work {
            Work::Save(object) => return self.save(&object, 0),
            Work::Instruction(instruction) => self.out.push(instruction),
            Work::Memoize(object) => self.memoize(&object, false),
            Work::Made(instance) => return self.made(&instance),
            Work::Step(instance, step) => return self.step(&instance, step),
            Work::Boundary => self.out.boundary(),
            Work::Tuple(tuple, next) => return self.tuple(&tuple, next, false),
            Work::List(list, next) => return self.list(&list, next),
            Work::Dict(dict, next, written) => return self.dict(&dict, next, written),
            Work::FrozenSet(set, next) => return self.frozen_set(&set, next, false),
            Work::Batches(batches) => return self.batches(batches),
        }
        Ok(true)
    }

    /// Does the works in order.
    fn all<const N: usize>(&mut self, works: [Work; N]) -> Result<bool> {
        let mut works = works.into_iter();
        while let Some(work) = works.next() {
            if !self.go_on(work)? {
                self.aside.extend(works);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes on with works after something that is done or put aside.
    fn then<const N: usize>(&mut self, done: bool, works: [Work; N]) -> Result<bool> {
        match done {
            true => self.all(works),
            false => self.later(works),
        }
    }

    /// Puts work aside, after what could not be written now.
    fn later<const N: usize>(&mut self, works: [Work; N]) -> Result<bool> {
        self.aside.extend(works);
        Ok(false)
    }

    /// Writes an object, or puts aside what is left of it; whether nothing is.
    ///
    /// So many handles of it are come across but `once`. If there are no others, it is never asked for
    /// again and need not be remembered.
    // Where a container's items are gone through, so that a number costs no call.
    #[inline(always)]
    fn save(&mut self, object: &Object, once: usize) -> Result<bool> {
        match object {
            Object::None => self.out.push(NONE),
            Object::Bool(true) => self.out.push(NEWTRUE),
            Object::Bool(false) => self.out.push(NEWFALSE),
            Object::Int(int) => self.int(*int),
            Object::BigInt(big) => self.long(big.to_signed_bytes_le())?,
            Object::Float(float) => self.float(*float),
            Object::Tuple(tuple) if tuple.is_empty() => self.out.push(EMPTY_TUPLE),
            other => {
                let single = other.handles() == once && !self.lasting;
                return self.save_known(other, single);
            }
        }
        Ok(true)
    }

    /// As `save`, of what others may refer to unless it is `single`.
    #[inline(never)]
    fn save_known(&mut self, object: &Object, single: bool) -> Result<bool> {
        if !single && let Some(number) = self.memo.get(object.address()) {
            self.get(number);
            return Ok(true);
        }
        match object {
            Object::Str(text) if single => self.new_text(text.as_wtf8()).map(|_| true),
            Object::Str(_) | Object::Bytes(_) | Object::ByteArray(_) | Object::Global(_) => {
                self.leaf(object, single)
            }
            other => self.enter(other, single),
        }
    }

    /// Writes what holds no other objects, unless this protocol writes it as a call.
    #[inline(never)]
    fn leaf(&mut self, object: &Object, single: bool) -> Result<bool> {
        match object {
            Object::Str(text) => self.text(text)?,
            Object::Bytes(bytes) if self.protocol >= 3 => self.bytes(bytes, single)?,
            Object::ByteArray(bytes) if self.protocol >= 5 => self.byte_array(bytes, single),
            Object::Global(global) => self.global(global, single)?,
            _ => return self.enter(object, single),
        }
        Ok(true)
    }

    #[inline]
    pub(crate) fn get(&mut self, number: usize) {
        match u8::try_from(number) {
            Ok(short) => self.out.extend(&[BINGET, short]),
            Err(_) => {
                self.out.push(LONG_BINGET);
                self.out.extend(&(number as u32).to_le_bytes());
            }
        }
    }

    #[inline]
    fn memoize(&mut self, object: &Object, single: bool) {
        if single {
            self.count();
        } else {
            let number = self.memo.insert(object.clone());
            self.put(number);
        }
    }

    /// Memoizes what nobody will ask for by its address; its number.
    #[inline]
    pub(crate) fn count(&mut self) -> usize {
        let number = self.memo.skip();
        self.put(number);
        number
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

    /// Writes a container, or a value that this protocol writes as a call.
    #[inline(never)]
    fn enter(&mut self, object: &Object, single: bool) -> Result<bool> {
        if self.depth == MAX_DEPTH {
            return self.later([Work::Save(object.clone())]);
        }
        self.depth += 1;
        let done = self.container(object, single);
        self.depth -= 1;
        done
    }

    fn container(&mut self, object: &Object, single: bool) -> Result<bool> {
        match object {
            Object::Tuple(tuple) => {
                if tuple.len() > 3 {
                    self.out.push(MARK);
                }
                self.tuple(tuple, 0, single)
            }
            Object::List(list) => {
                self.out.push(EMPTY_LIST);
                self.memoize(object, single);
                self.list(list, 0)
            }
            Object::Dict(dict) => {
                self.out.push(EMPTY_DICT);
                self.memoize(object, single);
                self.dict(dict, 0, 0)
            }
            Object::Set(set) if self.protocol >= 4 => {
                self.out.push(EMPTY_SET);
                self.memoize(object, single);
                let items = set.to_vec();
                if items.is_empty() {
                    self.out.boundary();
                    return Ok(true);
                }
                self.out.push(MARK);
                self.all([batches(items, 1, None, ADDITEMS), Work::Boundary])
            }
            Object::FrozenSet(set) if self.protocol >= 4 => {
                self.out.push(MARK);
                self.frozen_set(set, 0, single)
            }
            Object::Instance(instance) => self.instance(instance),
            other => {
                let (function, args) = as_call(other);
                self.call(function.clone(), args, Work::Memoize(other.clone()))
            }
        }
    }
}
