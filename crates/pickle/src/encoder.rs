//! Writes an object's instructions, as CPython's own pickler chooses them.

use std::collections::HashMap;

use crate::frames::Frames;
use crate::identity::Identities;
use crate::known::FUNCTIONS;
use crate::object::{Construction, Object, Step};
use crate::opcode::*;
use crate::{
    ByteArray, Bytes, Dict, FrozenSet, Global, Instance, List, PicklingError, Str, Tuple, names,
};

/// How many items one instruction adds to a container at most.
const BATCH: usize = 1000;

type Result<T> = std::result::Result<T, PicklingError>;

pub(crate) struct Encoder<'m> {
    out: Frames,
    protocol: u8,
    memo: &'m mut Identities,
    /// What has still to be written, the next at the end.
    work: Vec<Work>,
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

/// Items that are added to an object by ever the same instruction.
struct Batches {
    items: Vec<Object>,
    /// How many items belong together: two if they are keys and values.
    width: usize,
    next: usize,
    /// The instruction for a single one, if there is one.
    one: Option<u8>,
    many: u8,
}

impl<'m> Encoder<'m> {
    pub(crate) fn new(protocol: u8, memo: &'m mut Identities) -> Self {
        Self {
            out: Frames::new(),
            protocol,
            memo,
            work: Vec::with_capacity(8),
            parts: HashMap::new(),
        }
    }

    pub(crate) fn run(mut self, object: &Object) -> Result<Vec<u8>> {
        self.out.extend(&[PROTO, self.protocol]);
        if self.protocol >= 4 {
            self.out.start_framing();
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

    fn int(&mut self, int: i64) {
        if let Ok(byte) = u8::try_from(int) {
            self.out.extend(&[BININT1, byte]);
        } else if let Ok(short) = u16::try_from(int) {
            let [low, high] = short.to_le_bytes();
            self.out.extend(&[BININT2, low, high]);
        } else if let Ok(int) = i32::try_from(int) {
            self.out.push(BININT);
            self.out.extend(&int.to_le_bytes());
        } else {
            let bytes = int.to_le_bytes();
            let bytes = crate::object::shortest(&bytes);
            self.out.extend(&[LONG1, bytes.len() as u8]);
            self.out.extend(bytes);
        }
    }

    fn long(&mut self, bytes: &[u8]) -> Result<()> {
        match (u8::try_from(bytes.len()), i32::try_from(bytes.len())) {
            (Ok(length), _) => self.out.extend(&[LONG1, length]),
            (_, Ok(length)) => {
                self.out.push(LONG4);
                self.out.extend(&length.to_le_bytes());
            }
            _ => return Err(PicklingError::new("int too large to pickle")),
        }
        self.out.extend(bytes);
        Ok(())
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

    #[inline]
    fn text(&mut self, text: &Str) -> Result<()> {
        let bytes = text.as_wtf8();
        let short = (self.protocol >= 4).then_some(SHORT_BINUNICODE);
        self.counted("string", short, BINUNICODE, BINUNICODE8, bytes)?;
        self.memoize(Object::Str(text.clone()));
        self.out.boundary();
        Ok(())
    }

    fn bytes(&mut self, bytes: &Bytes) -> Result<()> {
        self.counted(
            "bytes object",
            Some(SHORT_BINBYTES),
            BINBYTES,
            BINBYTES8,
            bytes,
        )?;
        self.memoize(Object::Bytes(bytes.clone()));
        self.out.boundary();
        Ok(())
    }

    /// The instruction that fits the length.
    fn counted(
        &mut self,
        what: &str,
        short: Option<u8>,
        long: u8,
        longest: u8,
        bytes: &[u8],
    ) -> Result<()> {
        let length = (bytes.len() as u64).to_le_bytes();
        let mut header = [0; 9];
        header[1..].copy_from_slice(&length);
        let header = match (short, bytes.len()) {
            (Some(short), 0..=0xff) => {
                header[0] = short;
                &header[..2]
            }
            (_, 0..=0xffff_ffff) => {
                header[0] = long;
                &header[..5]
            }
            _ if self.protocol >= 4 => {
                header[0] = longest;
                &header
            }
            _ => {
                return Err(PicklingError::new(format!(
                    "serializing a {what} larger than 4 GiB requires pickle protocol 4 or higher"
                )));
            }
        };
        self.out.counted(header, bytes);
        Ok(())
    }

    fn byte_array(&mut self, bytes: &ByteArray) {
        let copy = bytes.to_vec();
        let mut header = [BYTEARRAY8; 9];
        header[1..].copy_from_slice(&(copy.len() as u64).to_le_bytes());
        self.out.counted(&header, &copy);
        self.memoize(Object::ByteArray(bytes.clone()));
        self.out.boundary();
    }

    fn global(&mut self, global: &Global) -> Result<()> {
        if self.protocol >= 4 {
            self.name(global.module())?;
            self.name(global.name())?;
            self.out.push(STACK_GLOBAL);
        } else {
            self.nested_global(global)?;
        }
        self.memoize(Object::Global(global.clone()));
        self.out.boundary();
        Ok(())
    }

    /// The outermost class by name, those inside it as its attributes.
    fn nested_global(&mut self, global: &Global) -> Result<()> {
        let name = global.name().to_string();
        let (outer, inner) = name.split_once('.').unwrap_or((&name, ""));
        let inner: Vec<_> = inner.split('.').filter(|part| !part.is_empty()).collect();
        for _ in &inner {
            self.save_leaf(&Object::Global(FUNCTIONS.getattr.clone()))?;
        }
        self.plain_global(&Global::new(global.module().clone(), outer))?;
        for part in inner {
            let part = self
                .parts
                .entry(part.to_owned())
                .or_insert_with(|| part.into())
                .clone();
            self.name(&part)?;
            self.out.extend(&[TUPLE2, REDUCE]);
        }
        Ok(())
    }

    fn plain_global(&mut self, global: &Global) -> Result<()> {
        let (module, name) = match self.protocol {
            0..3 => names::to_python2(global),
            _ => (global.module().clone(), global.name().clone()),
        };
        self.out.push(GLOBAL);
        self.name_line(&module)?;
        self.name_line(&name)
    }

    fn name(&mut self, name: &Str) -> Result<()> {
        match self.memo.get(name.address()) {
            Some(number) => {
                self.get(number);
                Ok(())
            }
            None => self.text(name),
        }
    }

    fn name_line(&mut self, name: &Str) -> Result<()> {
        let suits = |name: &&str| !name.contains('\n') && (self.protocol >= 3 || name.is_ascii());
        let Some(line) = name.as_str().filter(suits) else {
            let protocol = self.protocol;
            return Err(PicklingError::new(format!(
                "can't pickle global identifier {name:?} using pickle protocol {protocol}"
            )));
        };
        self.out.extend(line.as_bytes());
        self.out.push(b'\n');
        Ok(())
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

    /// Leaves `function(*args)` to do.
    fn call(&mut self, function: Global, args: Tuple, finally: Work) {
        self.work.extend([
            Work::Boundary,
            finally,
            Work::Instruction(REDUCE),
            Work::Save(Object::Tuple(args)),
            Work::Save(Object::Global(function)),
        ]);
    }

    fn tuple(&mut self, tuple: Tuple, mut next: usize) -> Result<()> {
        while let Some(item) = tuple.get(next) {
            next += 1;
            if !self.save_leaf(item)? {
                let item = item.clone();
                self.work
                    .extend([Work::Tuple(tuple, next), Work::Start(item)]);
                return Ok(());
            }
        }
        // A tuple inside a container inside itself is complete before it ends.
        if let Some(number) = self.memo.get(tuple.address()) {
            match tuple.len() {
                length @ 1..=3 => self.out.extend(&[POP; 3][..length]),
                _ => self.out.push(POP_MARK),
            }
            self.get(number);
        } else {
            self.out
                .push([TUPLE1, TUPLE2, TUPLE3, TUPLE][tuple.len().min(4) - 1]);
            self.memoize(Object::Tuple(tuple));
        }
        self.out.boundary();
        Ok(())
    }

    fn start_list(&mut self, list: &List) -> Result<()> {
        self.out.push(EMPTY_LIST);
        self.memoize(Object::List(list.clone()));
        let length = list.len();
        match length {
            0 => self.out.boundary(),
            1 => {
                let item = list.lock().first().cloned().unwrap_or(Object::None);
                self.work
                    .extend([Work::Boundary, Work::Instruction(APPEND), Work::Save(item)]);
            }
            _ => {
                self.out.push(MARK);
                return self.list(list.clone(), 0);
            }
        }
        Ok(())
    }

    fn list(&mut self, list: List, mut next: usize) -> Result<()> {
        let items = list.lock();
        loop {
            if next >= items.len() {
                self.out.push(APPENDS);
                self.out.boundary();
                return Ok(());
            }
            if next > 0 && next.is_multiple_of(BATCH) {
                self.out.extend(&[APPENDS, MARK]);
            }
            let item = &items[next];
            next += 1;
            if !self.save_leaf(item)? {
                let item = item.clone();
                drop(items);
                self.work
                    .extend([Work::List(list, next), Work::Start(item)]);
                return Ok(());
            }
        }
    }

    fn start_dict(&mut self, dict: &Dict) -> Result<()> {
        self.out.push(EMPTY_DICT);
        self.memoize(Object::Dict(dict.clone()));
        let length = dict.len();
        match length {
            0 => self.out.boundary(),
            1 => {
                let (key, value) = dict.items().pop().unwrap_or((Object::None, Object::None));
                self.work
                    .extend([Work::Boundary, Work::Instruction(SETITEM)]);
                self.work.extend([Work::Save(value), Work::Save(key)]);
            }
            _ => {
                self.out.push(MARK);
                return self.dict(dict.clone(), 0, 0);
            }
        }
        Ok(())
    }

    fn dict(&mut self, dict: Dict, mut next: usize, mut written: usize) -> Result<()> {
        let table = dict.lock();
        loop {
            if written > 0 && written.is_multiple_of(BATCH) {
                self.out.extend(&[SETITEMS, MARK]);
            }
            let Some((position, entry)) = table.next_from(next) else {
                self.out.push(SETITEMS);
                self.out.boundary();
                return Ok(());
            };
            next = position + 1;
            written += 1;
            let key_done = self.save_leaf(&entry.key)?;
            if key_done && self.save_leaf(&entry.value)? {
                continue;
            }
            let (key, value) = (entry.key.clone(), entry.value.clone());
            drop(table);
            self.work.push(Work::Dict(dict, next, written));
            if key_done {
                self.work.push(Work::Start(value));
            } else {
                self.work.extend([Work::Save(value), Work::Start(key)]);
            }
            return Ok(());
        }
    }

    fn frozen_set(&mut self, set: FrozenSet, mut next: usize) -> Result<()> {
        while let Some((position, entry)) = set.table().next_from(next) {
            next = position + 1;
            if !self.save_leaf(&entry.key)? {
                let item = entry.key.clone();
                self.work
                    .extend([Work::FrozenSet(set, next), Work::Start(item)]);
                return Ok(());
            }
        }
        if let Some(number) = self.memo.get(set.address()) {
            self.out.push(POP_MARK);
            self.get(number);
        } else {
            self.out.push(FROZENSET);
            self.memoize(Object::FrozenSet(set));
        }
        self.out.boundary();
        Ok(())
    }

    fn start_instance(&mut self, instance: &Instance) {
        let args = Object::Tuple(instance.args_tuple().clone());
        let class = instance.function().clone();
        let made = Work::Made(instance.clone());
        let instruction = match instance.construction() {
            Construction::Reduce => REDUCE,
            Construction::NewObject => NEWOBJ,
            Construction::NewObjectEx => {
                let kwargs = Object::Dict(instance.kwargs().cloned().unwrap_or_default());
                if self.protocol < 4 {
                    let args = Tuple::from_iter([class, args, kwargs]);
                    return self.call(FUNCTIONS.new_object_ex.clone(), args, made);
                }
                self.work
                    .extend([made, Work::Instruction(NEWOBJ_EX), Work::Save(kwargs)]);
                self.work.extend([Work::Save(args), Work::Save(class)]);
                return;
            }
        };
        self.work.extend([
            made,
            Work::Instruction(instruction),
            Work::Save(args),
            Work::Save(class),
        ]);
    }

    fn made(&mut self, instance: Instance) {
        self.work.push(Work::Boundary);
        // It may have been inside its own arguments.
        if let Some(number) = self.memo.get(instance.address()) {
            self.out.push(POP);
            return self.get(number);
        }
        self.memoize(Object::Instance(instance.clone()));
        for step in instance.steps().into_iter().rev() {
            self.push_step(&instance, step);
        }
    }

    fn push_step(&mut self, instance: &Instance, step: Step) {
        match step {
            Step::Build(state) => {
                self.work
                    .extend([Work::Instruction(BUILD), Work::Save(state)]);
            }
            Step::Append(items) => self.work.push(batches(items, 1, Some(APPEND), APPENDS)),
            Step::SetItems(pairs) => {
                let items = pairs.into_iter().flat_map(<[Object; 2]>::from).collect();
                self.work.push(batches(items, 2, Some(SETITEM), SETITEMS));
            }
            Step::Add(items) => {
                self.work
                    .extend([batches(items, 1, None, ADDITEMS), Work::Instruction(MARK)]);
            }
            Step::SetState { setter, state } => self.work.extend([
                Work::Instruction(POP),
                Work::Instruction(REDUCE),
                Work::Instruction(TUPLE2),
                Work::Save(state),
                Work::Save(Object::Instance(instance.clone())),
                Work::Save(setter),
            ]),
        }
    }

    fn batches(&mut self, mut batches: Box<Batches>) -> Result<()> {
        loop {
            if self.between_items(&mut batches) {
                return Ok(());
            }
            let item = std::mem::replace(&mut batches.items[batches.next], Object::None);
            batches.next += 1;
            if !self.save_leaf(&item)? {
                self.work
                    .extend([Work::Batches(batches), Work::Start(item)]);
                return Ok(());
            }
        }
    }

    /// Ends and begins batches; whether nothing is left.
    ///
    /// Sets mark each batch before it is known whether anything follows; what is added to instances is
    /// looked at first, and a single item does without the mark.
    fn between_items(&mut self, batches: &mut Batches) -> bool {
        let left = batches.items.len() - batches.next;
        let full = batches.next.is_multiple_of(BATCH * batches.width);
        let begun = batches.next > 0;
        match batches.one {
            None => {
                if begun && full {
                    self.out.extend(&[batches.many, MARK]);
                }
                if left == 0 {
                    self.out.push(batches.many);
                }
            }
            Some(one) => {
                if begun && (full || left == 0) {
                    self.out.push(batches.many);
                }
                if full && left == batches.width {
                    let items = batches.items.drain(batches.next..).rev();
                    self.work.push(Work::Instruction(one));
                    self.work.extend(items.map(Work::Save));
                    return true;
                }
                if full && left > 0 {
                    self.out.push(MARK);
                }
            }
        }
        left == 0
    }
}

fn batches(items: Vec<Object>, width: usize, one: Option<u8>, many: u8) -> Work {
    Work::Batches(Box::new(Batches {
        items,
        width,
        next: 0,
        one,
        many,
    }))
}

/// How older protocols write a value that they have no instruction for.
fn as_call(object: &Object) -> (&'static Global, Tuple) {
    let known = &*FUNCTIONS;
    let list = |items: Vec<Object>| Tuple::from_iter([Object::List(List::from(items))]);
    match object {
        Object::Set(set) => (&known.set, list(set.to_vec())),
        Object::FrozenSet(set) => (&known.frozenset, list(set.iter().cloned().collect())),
        Object::Bytes(bytes) if bytes.is_empty() => (&known.bytes, Tuple::new()),
        Object::Bytes(bytes) => {
            let text: String = bytes.iter().copied().map(char::from).collect();
            let args = [Object::from(text), Object::Str(known.latin1.clone())];
            (&known.encode, Tuple::from_iter(args))
        }
        Object::ByteArray(bytes) => {
            let bytes = Bytes::from(bytes.to_vec());
            let args = (!bytes.is_empty()).then_some(Object::Bytes(bytes));
            (&known.bytearray, Tuple::from_iter(args))
        }
        _ => (&known.getattr, Tuple::new()),
    }
}
