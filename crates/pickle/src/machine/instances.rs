//! Classes, functions, and what they make.

use super::{Machine, Result, lacks};
use crate::source::Source;
use crate::{Error, Global, Instance, Object, Step, Str, Tuple, UnpicklingError};
use crate::{known, literal, names};

impl<S: Source> Machine<S> {
    /// A class or function whose names are two lines.
    pub(super) fn named(&mut self) -> Result<Global> {
        let module = Str::from(literal::text(self.source.line()?)?);
        let name = Str::from(literal::text(self.source.line()?)?);
        let (module, name) = match self.protocol {
            0..3 => names::to_python3(module, name),
            _ => (module, name),
        };
        Ok(known::global(module, name))
    }

    pub(super) fn stack_global(&mut self) -> Result<()> {
        self.underneath(2)?;
        let (name, module) = (self.pop()?, self.pop()?);
        let (Object::Str(module), Object::Str(name)) = (module, name) else {
            return Err(UnpicklingError::new("STACK_GLOBAL requires str"));
        };
        self.push(known::global(module, name));
        Ok(())
    }

    pub(super) fn args(&mut self, instruction: &str) -> Result<Tuple> {
        match self.pop()? {
            Object::Tuple(args) => Ok(args),
            other => Err(UnpicklingError::new(format!(
                "{instruction} expected an arg tuple, got {}",
                other.type_name()
            ))),
        }
    }

    pub(super) fn callable(&mut self) -> Result<Object> {
        self.pop().and_then(check_callable)
    }

    pub(super) fn reduce(&mut self) -> Result<()> {
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

    pub(super) fn new_object(&mut self) -> Result<()> {
        self.underneath(2)?;
        let (args, class) = (self.args("NEWOBJ")?, self.callable()?);
        self.push(Instance::new_object(class, args));
        Ok(())
    }

    pub(super) fn new_object_ex(&mut self) -> Result<()> {
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

    pub(super) fn object(&mut self) -> Result<()> {
        let mark = self.pop_mark()?;
        if self.room.stack.len() <= mark {
            return Err(self.underflow());
        }
        let class = check_callable(self.room.stack.remove(mark))?;
        self.instantiate(class, mark);
        Ok(())
    }

    pub(super) fn instantiate(&mut self, class: Object, from: usize) {
        let args: Tuple = self.room.stack.drain(from..).collect();
        let make = if args.is_empty() {
            Instance::new_object
        } else {
            Instance::reduce
        };
        self.push(make(class, args));
    }

    pub(super) fn build(&mut self) -> Result<()> {
        self.underneath(2)?;
        let state = self.pop()?;
        match self.top()? {
            Object::Instance(instance) => instance.push(Step::Build(state)),
            other => return Err(lacks(other, "__dict__")),
        }
        Ok(())
    }

    /// A call whose result is dropped counts for what it does to the object below.
    pub(super) fn discard(&mut self) -> Result<()> {
        if self.room.marks.last() == Some(&self.room.stack.len()) {
            self.room.marks.pop();
            return Ok(());
        }
        if let Object::Instance(call) = self.pop()?
            && let Some(Object::Instance(below)) = self.room.stack.last()
            && let [Object::Instance(target), state] = call.args()
            && target.address() == below.address()
        {
            let (setter, state) = (call.function().clone(), state.clone());
            below.push(Step::SetState { setter, state });
        }
        Ok(())
    }
}

fn check_callable(object: Object) -> Result<Object> {
    match object {
        function @ (Object::Global(_) | Object::Instance(_)) => Ok(function),
        other => {
            let complaint = format!("'{}' object is not callable", other.type_name());
            Err(Error::TypeError(complaint).into())
        }
    }
}
