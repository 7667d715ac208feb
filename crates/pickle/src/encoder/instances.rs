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
    /// Leaves `function(*args)` to do.
    pub(super) fn call(&mut self, function: Global, args: Tuple, finally: Work) {
        self.work.extend([
            Work::Boundary,
            finally,
            Work::Instruction(REDUCE),
            Work::Save(Object::Tuple(args)),
            Work::Save(Object::Global(function)),
        ]);
    }

    pub(super) fn start_instance(&mut self, instance: &Instance) {
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

    pub(super) fn made(&mut self, instance: Instance) {
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

    pub(super) fn push_step(&mut self, instance: &Instance, step: Step) {
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

    pub(super) fn batches(&mut self, mut batches: Box<Batches>) -> Result<()> {
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
    pub(super) fn between_items(&mut self, batches: &mut Batches) -> bool {
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
