//! Instances, and what older protocols write as calls.

use super::{BATCH, Encoder, Result, Work};
use crate::known::FUNCTIONS;
use crate::object::{Construction, Object, Step};
use crate::opcode::*;
use crate::{Bytes, Global, Instance, List, Tuple};

/// Items that are added to an object by ever the same instruction.
pub(super) struct Batches {
    items: Vec<Object>,
    /// How many items belong together: two if they are keys and values.
    width: usize,
    next: usize,
    /// The instruction for a single one, if there is one.
    one: Option<u8>,
    many: u8,
}

impl Encoder<'_> {
    /// `function(*args)`.
    pub(super) fn call(&mut self, function: Global, args: Tuple, finally: Work) -> Result<bool> {
        self.all([
            Work::Save(Object::Global(function)),
            Work::Save(Object::Tuple(args)),
            Work::Instruction(REDUCE),
            finally,
            Work::Boundary,
        ])
    }

    pub(super) fn instance(&mut self, instance: &Instance) -> Result<bool> {
        let class = instance.function().clone();
        let args = Object::Tuple(instance.args_tuple().clone());
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
                let parts = [class, args, kwargs].map(Work::Save);
                let [class, args, kwargs] = parts;
                return self.all([class, args, kwargs, Work::Instruction(NEWOBJ_EX), made]);
            }
        };
        let [class, args] = [class, args].map(Work::Save);
        self.all([class, args, Work::Instruction(instruction), made])
    }

    pub(super) fn made(&mut self, instance: &Instance) -> Result<bool> {
        // It may have been inside its own arguments.
        if let Some(number) = self.memo.get(instance.address()) {
            self.out.push(POP);
            self.get(number);
            self.out.boundary();
            return Ok(true);
        }
        self.memoize(&Object::Instance(instance.clone()), false);
        let mut steps = instance.steps().into_iter();
        while let Some(step) = steps.next() {
            if !self.step(instance, step)? {
                let rest = steps.map(|step| Work::Step(instance.clone(), step));
                self.aside.extend(rest.chain([Work::Boundary]));
                return Ok(false);
            }
        }
        self.out.boundary();
        Ok(true)
    }

    pub(super) fn step(&mut self, instance: &Instance, step: Step) -> Result<bool> {
        match step {
            Step::Build(state) => self.all([Work::Save(state), Work::Instruction(BUILD)]),
            Step::Append(items) => self.go_on(batches(items, 1, Some(APPEND), APPENDS)),
            Step::SetItems(pairs) => {
                let items = pairs.into_iter().flat_map(<[Object; 2]>::from).collect();
                self.go_on(batches(items, 2, Some(SETITEM), SETITEMS))
            }
            Step::Add(items) => {
                self.out.push(MARK);
                self.go_on(batches(items, 1, None, ADDITEMS))
            }
            Step::SetState { setter, state } => self.all([
                Work::Save(setter),
                Work::Save(Object::Instance(instance.clone())),
                Work::Save(state),
                Work::Instruction(TUPLE2),
                Work::Instruction(REDUCE),
                Work::Instruction(POP),
            ]),
        }
    }

    pub(super) fn batches(&mut self, mut batches: Box<Batches>) -> Result<bool> {
        while !self.between_items(&mut batches) {
            let item = std::mem::replace(&mut batches.items[batches.next], Object::None);
            batches.next += 1;
            if !self.save(&item, 0)? {
                return self.later([Work::Batches(batches)]);
            }
        }
        self.last_of(*batches)
    }

    /// Writes what is left in the end: a single item or pair, which does without the mark.
    fn last_of(&mut self, batches: Batches) -> Result<bool> {
        let mut items = batches.items.into_iter().skip(batches.next);
        let Some(one) = batches.one else {
            return Ok(true);
        };
        match (items.next(), items.next()) {
            (Some(key), Some(value)) => {
                self.all([Work::Save(key), Work::Save(value), Work::Instruction(one)])
            }
            (Some(item), None) => self.all([Work::Save(item), Work::Instruction(one)]),
            _ => Ok(true),
        }
    }

    /// Ends and begins batches; whether nothing is left, or a single item of an instance.
    ///
    /// Sets mark each batch before it is known whether anything follows; what is added to instances is
    /// looked at first.
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
            Some(_) => {
                if begun && (full || left == 0) {
                    self.out.push(batches.many);
                }
                if full && left == batches.width {
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

pub(super) fn batches(items: Vec<Object>, width: usize, one: Option<u8>, many: u8) -> Work {
    Work::Batches(Box::new(Batches {
        items,
        width,
        next: 0,
        one,
        many,
    }))
}

/// How older protocols write a value that they have no instruction for.
pub(super) fn as_call(object: &Object) -> (&'static Global, Tuple) {
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
