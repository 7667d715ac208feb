//! A program of the fuzzer: data that is run here and on CPython.

use std::fmt::{self, Display};
use std::sync::Arc;

/// How many slots for futures a program has.
pub(crate) const SLOTS: usize = 13;
/// The first ones hold futures that somebody completes by hand.
pub(crate) const PLAIN: usize = 3;
/// These hold what `gather` returns, a list; all others an integer.
pub(crate) const LISTS: [usize; 2] = [6, 10];

pub(crate) type Block = Arc<[Op]>;

/// One operation: a name, numbers, and blocks of operations inside.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    /// Tells it from all others of the program, in the trace too.
    pub(crate) id: usize,
    pub(crate) name: &'static str,
    pub(crate) numbers: Vec<i64>,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Whether the loop starts every task eagerly.
    pub(crate) eager: bool,
    pub(crate) main: Block,
}

/// The text in which CPython gets it, which is JSON.
impl Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{},{}]", u8::from(self.eager), List(&self.main))
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks: Vec<_> = self.blocks.iter().map(|block| List(block)).collect();
        write!(f, "[{},\"{}\",", self.id, self.name)?;
        write!(f, "{},{}]", List(&self.numbers), List(&blocks))
    }
}

struct List<'l, T>(&'l [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items: Vec<_> = self.0.iter().map(T::to_string).collect();
        write!(f, "[{}]", items.join(","))
    }
}
