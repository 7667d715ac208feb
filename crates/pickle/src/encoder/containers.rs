//! Lists, tuples, dicts and frozensets; each goes on where an item that takes longer interrupted it.

use super::{BATCH, Encoder, Result, Work};
use crate::object::Object;
use crate::opcode::*;
use crate::{Dict, FrozenSet, List, Tuple};

impl Encoder<'_> {
    pub(super) fn tuple(&mut self, tuple: Tuple, mut next: usize) -> Result<()> {
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

    pub(super) fn start_list(&mut self, list: &List) -> Result<()> {
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

    pub(super) fn list(&mut self, list: List, mut next: usize) -> Result<()> {
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
            if !self.save_item(item)? {
                let item = item.clone();
                drop(items);
                self.work
                    .extend([Work::List(list, next), Work::Start(item)]);
                return Ok(());
            }
        }
    }

    pub(super) fn start_dict(&mut self, dict: &Dict) -> Result<()> {
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

    pub(super) fn dict(&mut self, dict: Dict, mut next: usize, mut written: usize) -> Result<()> {
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
            let key_done = self.save_item(&entry.key)?;
            if key_done && self.save_item(&entry.value)? {
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

    pub(super) fn frozen_set(&mut self, set: FrozenSet, mut next: usize) -> Result<()> {
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
}
