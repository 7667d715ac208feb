//! What the values of one pickle are written by.

use super::Result;
use crate::Global;
use crate::by_name::ByName;
use crate::encoder::Encoder;
use crate::opcode::*;
use crate::ser::class;

pub(super) struct Writer<'m> {
    pub(super) encoder: Encoder<'m>,
    pub(super) names: Names,
}

/// What stands for itself wherever it occurs: names of fields and variants, and classes.
#[derive(Default)]
pub(super) struct Names {
    /// With their numbers in the memo, in the order of appearance.
    known: Vec<(&'static str, usize)>,
    /// Where the next is if names come in the same order as before.
    next: usize,
    classes: ByName<Option<Global>>,
}

impl Names {
    #[inline]
    fn find(&mut self, name: &'static str) -> Option<usize> {
        let same = |(known, _): &&(&str, usize)| std::ptr::eq(*known, name);
        let known = match self.known.get(self.next).filter(same) {
            Some(known) => known,
            None => {
                self.next = self.known.iter().position(|known| same(&known))?;
                &self.known[self.next]
            }
        };
        self.next += 1;
        Some(known.1)
    }
}

impl Writer<'_> {
    #[inline]
    pub(super) fn name(&mut self, name: &'static str) -> Result<()> {
        match self.names.find(name) {
            Some(number) => self.encoder.get(number),
            None => self.new_name(name)?,
        }
        Ok(())
    }

    #[cold]
    fn new_name(&mut self, name: &'static str) -> Result<()> {
        let number = self.encoder.new_text(name.as_bytes())?;
        self.names.known.push((name, number));
        self.names.next = self.names.known.len();
        Ok(())
    }

    /// The class that the name stands for, if it does; whether it does.
    #[inline]
    pub(super) fn class(&mut self, name: &'static str) -> Result<bool> {
        match self.names.classes.get(name, class) {
            Some(class) => self.encoder.whole(&class.into(), 0).map(|()| true),
            None => Ok(false),
        }
    }

    /// What was made is complete.
    pub(super) fn made(&mut self, instruction: u8) {
        self.encoder.out.push(instruction);
        self.encoder.count();
        self.encoder.out.boundary();
    }

    pub(super) fn tuple(&mut self, length: usize) {
        match length {
            0 => self.encoder.out.push(EMPTY_TUPLE),
            _ => self.made([TUPLE1, TUPLE2, TUPLE3, TUPLE][length.min(4) - 1]),
        }
    }
}
