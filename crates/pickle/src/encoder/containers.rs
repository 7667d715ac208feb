//! Lists, tuples, dicts and frozensets; each goes on where an item that has to wait interrupted it.

use super::{BATCH, Encoder, Result, Work};
use crate::object::Object;
use crate::opcode::*;
use crate::{Dict, FrozenSet, List, Tuple};

impl Encoder<'_> {
    pub(super) fn tuple(&mut self, tuple: &Tuple, next: usize, single: bool) -> Result<bool> {
        for (position, item) in tuple.iter().enumerate().skip(next) {
            if !self.save(item, usize::from(single))? {
                return self.later([Work::Tuple(tuple.clone(), position + 1)]);
            }
        }
        match self.memo.get(tuple.address()).filter(|_| !single) {
            // A tuple inside a container inside itself is complete before it ends.
            Some(number) => {
                match tuple.len() {
                    length @ 1..=3 => self.out.extend(&[POP; 3][..length]),
                    _ => self.out.push(POP_MARK),
                }
                self.get(number);
            }
            None => {
                self.out
                    .push([TUPLE1, TUPLE2, TUPLE3, TUPLE][tuple.len().min(4) - 1]);
                match single {
                    true => _ = self.count(),
                    false => self.memoize(&Object::Tuple(tuple.clone()), false),
                }
            }
        }
        self.out.boundary();
        Ok(true)
    }

    pub(super) fn list(&mut self, list: &List, mut next: usize) -> Result<bool> {
        let Some(items) = list.lock_if(self.depth == 0) else {
            return self.later([Work::List(list.clone(), next)]);
        };
        if next == 0 {
            match &items[..] {
                [] => {
                    self.out.boundary();
                    return Ok(true);
                }
                [only] => {
                    let done = self.save(only, 1)?;
                    return self.then(done, [Work::Instruction(APPEND), Work::Boundary]);
                }
                _ => self.out.push(MARK),
            }
        }
        while let Some(item) = items.get(next) {
            if next > 0 && next.is_multiple_of(BATCH) {
                self.out.extend(&[APPENDS, MARK]);
            }
            next += 1;
            if !self.save(item, 1)? {
                return self.later([Work::List(list.clone(), next)]);
            }
        }
        self.out.push(APPENDS);
        self.out.boundary();
        Ok(true)
    }

    pub(super) fn dict(&mut self, dict: &Dict, next: usize, mut written: usize) -> Result<bool> {
        let Some(table) = dict.lock_if(self.depth == 0) else {
            return self.later([Work::Dict(dict.clone(), next, written)]);
        };
        let alone = written == 0 && table.len() == 1;
        if written == 0 {
            match table.len() {
                0 => {
                    self.out.boundary();
                    return Ok(true);
                }
                1 => {}
                _ => self.out.push(MARK),
            }
        }
        for (position, entry) in table.iter_from(next) {
            if written > 0 && written.is_multiple_of(BATCH) {
                self.out.extend(&[SETITEMS, MARK]);
            }
            written += 1;
            if !self.pair(&entry.key, &entry.value)? {
                return match alone {
                    true => self.later([Work::Instruction(SETITEM), Work::Boundary]),
                    false => self.later([Work::Dict(dict.clone(), position + 1, written)]),
                };
            }
        }
        // Unlike a list's, a full batch of a dict's always has another after it.
        if written.is_multiple_of(BATCH) {
            self.out.extend(&[SETITEMS, MARK]);
        }
        self.out.push(if alone { SETITEM } else { SETITEMS });
        self.out.boundary();
        Ok(true)
    }

    #[inline]
    fn pair(&mut self, key: &Object, value: &Object) -> Result<bool> {
        match self.save(key, 1)? {
            true => self.save(value, 1),
            false => self.later([Work::Save(value.clone())]),
        }
    }

    pub(super) fn frozen_set(
        &mut self,
        set: &FrozenSet,
        next: usize,
        single: bool,
    ) -> Result<bool> {
        for (position, entry) in set.table().iter_from(next) {
            if !self.save(&entry.key, usize::from(single))? {
                return self.later([Work::FrozenSet(set.clone(), position + 1)]);
            }
        }
        match self.memo.get(set.address()).filter(|_| !single) {
            Some(number) => {
                self.out.push(POP_MARK);
                self.get(number);
            }
            None => {
                self.out.push(FROZENSET);
                self.memoize(&Object::FrozenSet(set.clone()), single);
            }
        }
        self.out.boundary();
        Ok(true)
    }
}
