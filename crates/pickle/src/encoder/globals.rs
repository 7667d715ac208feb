//! Classes and functions.

use super::{Encoder, Result};
use crate::known::FUNCTIONS;
use crate::object::Object;
use crate::opcode::*;
use crate::{Global, PicklingError, Str, names};

impl Encoder<'_> {
    pub(super) fn global(&mut self, global: &Global, single: bool) -> Result<()> {
        if self.protocol >= 4 {
            self.name(global.module(), single)?;
            self.name(global.name(), single)?;
            self.out.push(STACK_GLOBAL);
        } else {
            self.nested_global(global)?;
        }
        self.memoize(&Object::Global(global.clone()), single);
        self.out.boundary();
        Ok(())
    }

    /// The outermost class by name, those inside it as its attributes.
    fn nested_global(&mut self, global: &Global) -> Result<()> {
        let name = global.name().to_string();
        let (outer, inner) = name.split_once('.').unwrap_or((&name, ""));
        let inner: Vec<_> = inner.split('.').filter(|part| !part.is_empty()).collect();
        for _ in &inner {
            self.save(&Object::Global(FUNCTIONS.getattr.clone()), 0)?;
        }
        self.plain_global(&Global::new(global.module().clone(), outer))?;
        for part in inner {
            let part = self.part(part);
            self.name(&part, false)?;
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

    fn part(&mut self, part: &str) -> Str {
        if let Some(known) = self.parts.iter().find(|known| **known == part) {
            return known.clone();
        }
        let part = Str::from(part);
        self.parts.push(part.clone());
        part
    }

    /// A name that is held by what is written but `once`.
    fn name(&mut self, name: &Str, once: bool) -> Result<()> {
        let single = once && name.handles() == 1;
        if single {
            return self.new_text(name.as_wtf8()).map(drop);
        }
        match self.memo.get(name.address()) {
            Some(number) => self.get(number),
            None => self.text(name)?,
        }
        Ok(())
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
}
