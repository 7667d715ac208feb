//! The machine that runs a pickle's instructions: a stack of objects, marks in it, and a memo.

use crate::literal::{self, Encoding};
use crate::memo::Memo;
use crate::object::from_signed_bytes;
use crate::opcode::*;
use crate::source::Source;
use crate::{
    ByteArray, Dict, Error, FrozenSet, Global, HIGHEST_PROTOCOL, Instance, List, Object, Set, Step,
    Str, Tuple, UnpicklingError, known, names,
};

type Result<T> = std::result::Result<T, UnpicklingError>;

pub(crate) struct Machine<'m, S> {
    source: S,
    memo: &'m mut Memo,
    encoding: Encoding,
    protocol: u8,
    stack: Vec<Object>,
    /// Heights of the stack; what is below the last one is out of reach.
    marks: Vec<usize>,
}

impl<'m, S: Source> Machine<'m, S> {
    pub(crate) fn new(source: S, memo: &'m mut Memo, encoding: Encoding) -> Self {
        Self {
            source,
            memo,
            encoding,
            protocol: 0,
            stack: Vec::new(),
            marks: Vec::new(),
        }
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
        self.memo
            .objects()
            .chain(&self.stack)
            .for_each(Object::break_cycle);
    }

    fn step(&mut self, instruction: u8) -> Result<()> {
        match instruction {
            MEMOIZE => {
                let top = self.top()?.clone();
                self.memo.push(top);
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
            MARK => self.marks.push(self.stack.len()),
            TUPLE => {
                let mark = self.pop_mark()?;
                let tuple: Tuple = self.stack.drain(mark..).collect();
                self.push(tuple);
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
                self.append(self.stack.len() - 1)?;
            }
            APPENDS => {
                let mark = self.pop_mark()?;
                self.append(mark)?;
            }
            SETITEM => {
                self.underneath(2)?;
                self.set_items(self.stack.len() - 2)?;
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
                let set = FrozenSet::from_items(self.stack.drain(mark..))?;
                self.push(set);
            }
            LIST => {
                let mark = self.pop_mark()?;
                let list: List = self.stack.drain(mark..).collect();
                self.push(list);
            }
            DICT => {
                let mark = self.pop_mark()?;
                self.stack.insert(mark, Dict::new().into());
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
                self.stack.truncate(mark);
            }
            DUP => {
                let top = self.top()?.clone();
                self.stack.push(top);
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
        self.stack.push(object.into());
    }

    fn byte(&mut self) -> Result<u8> {
        self.source.array().map(|[byte]| byte)
    }

    /// Complains unless so many objects are above the last mark.
    #[inline]
    fn underneath(&self, count: usize) -> Result<()> {
        match self.stack.len() - self.marks.last().unwrap_or(&0) >= count {
            true => Ok(()),
            false => Err(self.underflow()),
        }
    }

    #[cold]
    fn underflow(&self) -> UnpicklingError {
        UnpicklingError::new(match self.marks.is_empty() {
            true => "unpickling stack underflow",
            false => "unexpected MARK found",
        })
    }

    #[inline]
    fn top(&self) -> Result<&Object> {
        self.underneath(1)?;
        self.stack.last().ok_or_else(|| self.underflow())
    }

    #[inline]
    fn pop(&mut self) -> Result<Object> {
        self.underneath(1)?;
        self.stack.pop().ok_or_else(|| self.underflow())
    }

    #[inline]
    fn pop_mark(&mut self) -> Result<usize> {
        self.marks
            .pop()
            .ok_or_else(|| UnpicklingError::new("could not find MARK"))
    }

    fn get(&mut self, index: u64) -> Result<()> {
        let Some(object) = self.memo.get(index) else {
            return Err(UnpicklingError::new(format!(
                "Memo value not found at index {index}"
            )));
        };
        self.stack.push(object.clone());
        Ok(())
    }

    fn put(&mut self, index: u64) -> Result<()> {
        let top = self.top()?.clone();
        self.memo.put(index, top);
        Ok(())
    }

    fn text(&mut self, length: usize) -> Result<()> {
        let bytes = self.source.take(length)?;
        let Some(text) = Str::from_wtf8(bytes) else {
            let complaint = "'utf-8' codec can't decode the bytes of a str: invalid data";
            return Err(Error::ValueError(complaint.into()).into());
        };
        self.push(text);
        Ok(())
    }

    fn number(&mut self, instruction: u8) -> Result<()> {
        let number = match instruction {
            BININT => Object::from(i32::from_le_bytes(self.source.array()?)),
            BININT2 => Object::from(u16::from_le_bytes(self.source.array()?)),
            BINFLOAT => Object::from(f64::from_be_bytes(self.source.array()?)),
            LONG1 => {
                let length = usize::from(self.byte()?);
                from_signed_bytes(self.source.take(length)?)
            }
            _ => {
                let length = usize::try_from(i32::from_le_bytes(self.source.array()?));
                let negative = |_| UnpicklingError::new("LONG pickle has negative byte count");
                from_signed_bytes(self.source.take(length.map_err(negative)?)?)
            }
        };
        self.push(number);
        Ok(())
    }

    /// What has its length before it.
    fn counted(&mut self, instruction: u8) -> Result<()> {
        let length = match instruction {
            SHORT_BINBYTES | SHORT_BINSTRING => u64::from(self.byte()?),
            BINUNICODE | BINBYTES => u64::from(u32::from_le_bytes(self.source.array()?)),
            BINSTRING => {
                let length = i32::from_le_bytes(self.source.array()?);
                let negative = |_| UnpicklingError::new("BINSTRING pickle has negative byte count");
                u64::try_from(length).map_err(negative)?
            }
            _ => u64::from_le_bytes(self.source.array()?),
        };
        let length = usize::try_from(length).map_err(|_| {
            Error::OverflowError("a length of the pickle exceeds this system's maximum".into())
        })?;
        match instruction {
            BINUNICODE | BINUNICODE8 => return self.text(length),
            SHORT_BINSTRING | BINSTRING => {
                let text = self.encoding.decode(self.source.take(length)?)?;
                self.push(text);
            }
            BYTEARRAY8 => {
                let bytes = ByteArray::from(self.source.take(length)?);
                self.push(bytes);
            }
            _ => {
                let bytes = Object::from(self.source.take(length)?);
                self.push(bytes);
            }
        }
        Ok(())
    }

    /// What ends with its line.
    fn line(&mut self, instruction: u8) -> Result<()> {
        let line = self.source.line()?;
        let object = match instruction {
            INT => literal::int(line)?,
            LONG => literal::long(line)?,
            FLOAT => literal::float(line)?,
            UNICODE => literal::unicode(line)?.into(),
            _ => self.encoding.decode(&literal::string(line)?)?,
        };
        self.push(object);
        Ok(())
    }

    fn tuple(&mut self, length: usize) -> Result<()> {
        self.underneath(length)?;
        let tuple: Tuple = self.stack.drain(self.stack.len() - length..).collect();
        self.push(tuple);
        Ok(())
    }

    /// The object below `from`, which what is above will become part of.
    fn target(&self, from: usize) -> Result<&Object> {
        let floor = self.marks.last().unwrap_or(&0);
        let below = from.checked_sub(1).filter(|below| below >= floor);
        below
            .and_then(|below| self.stack.get(below))
            .ok_or_else(|| self.underflow())
    }

    fn append(&mut self, from: usize) -> Result<()> {
        match self.target(from)?.clone() {
            Object::List(list) => list.lock().extend(self.stack.drain(from..)),
            Object::Instance(instance) => {
                instance.push(Step::Append(self.stack.drain(from..).collect()));
            }
            other => return Err(lacks(&other, "append")),
        }
        Ok(())
    }

    fn set_items(&mut self, from: usize) -> Result<()> {
        let target = self.target(from)?.clone();
        if (self.stack.len() - from) % 2 == 1 {
            return Err(UnpicklingError::new("odd number of items for SETITEMS"));
        }
        let pairs = Pairs(self.stack.drain(from..));
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

    fn add_items(&mut self) -> Result<()> {
        let mark = self.pop_mark()?;
        match self.target(mark)?.clone() {
            Object::Set(set) => set.update(self.stack.drain(mark..))?,
            Object::Instance(instance) => {
                instance.push(Step::Add(self.stack.drain(mark..).collect()));
            }
            other => return Err(lacks(&other, "add")),
        }
        Ok(())
    }

    /// A class or function whose names are two lines.
    fn named(&mut self) -> Result<Global> {
        let module = Str::from(literal::text(self.source.line()?)?);
        let name = Str::from(literal::text(self.source.line()?)?);
        let (module, name) = match self.protocol {
            0..3 => names::to_python3(module, name),
            _ => (module, name),
        };
        Ok(known::global(module, name))
    }

    fn stack_global(&mut self) -> Result<()> {
        self.underneath(2)?;
        let (name, module) = (self.pop()?, self.pop()?);
        let (Object::Str(module), Object::Str(name)) = (module, name) else {
            return Err(UnpicklingError::new("STACK_GLOBAL requires str"));
        };
        self.push(known::global(module, name));
        Ok(())
    }

    fn args(&mut self, instruction: &str) -> Result<Tuple> {
        match self.pop()? {
            Object::Tuple(args) => Ok(args),
            other => Err(UnpicklingError::new(format!(
                "{instruction} expected an arg tuple, got {}",
                other.type_name()
            ))),
        }
    }

    fn callable(&mut self) -> Result<Object> {
        match self.pop()? {
            function @ (Object::Global(_) | Object::Instance(_)) => Ok(function),
            other => {
                let complaint = format!("'{}' object is not callable", other.type_name());
                Err(Error::TypeError(complaint).into())
            }
        }
    }

    fn reduce(&mut self) -> Result<()> {
        self.underneath(2)?;
        let (args, function) = (self.args("REDUCE")?, self.callable()?);
        let known = match &function {
            Object::Global(global) => known::value(global, &args)?,
            _ => None,
        };
        let object = known.unwrap_or_else(|| Instance::reduce(function, args).into());
        self.push(object);
        Ok(())
    }

    fn new_object(&mut self) -> Result<()> {
        self.underneath(2)?;
        let (args, class) = (self.args("NEWOBJ")?, self.callable()?);
        self.push(Instance::new_object(class, args));
        Ok(())
    }

    fn new_object_ex(&mut self) -> Result<()> {
        self.underneath(3)?;
        let Object::Dict(kwargs) = self.pop()? else {
            return Err(UnpicklingError::new(
                "NEWOBJ_EX kwargs argument must be a dict",
            ));
        };
        let (args, class) = (self.args("NEWOBJ_EX")?, self.callable()?);
        self.push(Instance::new_object_ex(class, args, kwargs));
        Ok(())
    }

    fn object(&mut self) -> Result<()> {
        let mark = self.pop_mark()?;
        if self.stack.len() <= mark {
            return Err(self.underflow());
        }
        let class = self.stack.remove(mark);
        self.instantiate(class, mark);
        Ok(())
    }

    fn instantiate(&mut self, class: Object, from: usize) {
        let args: Tuple = self.stack.drain(from..).collect();
        let make = if args.is_empty() {
            Instance::new_object
        } else {
            Instance::reduce
        };
        self.push(make(class, args));
    }

    fn build(&mut self) -> Result<()> {
        self.underneath(2)?;
        let state = self.pop()?;
        match self.top()? {
            Object::Instance(instance) => instance.push(Step::Build(state)),
            other => return Err(lacks(other, "__dict__")),
        }
        Ok(())
    }

    /// A call whose result is dropped counts for what it does to the object below.
    fn discard(&mut self) -> Result<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        if let Object::Instance(call) = self.pop()?
            && let Some(Object::Instance(below)) = self.stack.last()
            && let [Object::Instance(target), state] = call.args()
            && target.address() == below.address()
        {
            let (setter, state) = (call.function().clone(), state.clone());
            below.push(Step::SetState { setter, state });
        }
        Ok(())
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
