//! What an unpickler works on: a stack of objects, marks in it, and a memo.

use std::cell::Cell;

use crate::Object;
use crate::memo::Memo;

/// Room for more is not kept: a server has many threads, and a long pickle hardly notices.
const MOST: usize = 64;

thread_local! {
    /// The room of the thread's last pickle, so that a short one costs no memory of its own.
    static SPARE: Cell<Room> = const { Cell::new(Room::new()) };
}

#[derive(Default)]
pub(crate) struct Room {
    pub(crate) stack: Vec<Object>,
    /// Heights of the stack; what is below the last one is out of reach.
    pub(crate) marks: Vec<usize>,
    pub(crate) memo: Memo,
}

impl Room {
    const fn new() -> Self {
        Self {
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::new(),
        }
    }

    /// An empty one, perhaps of a pickle before.
    pub(crate) fn spare() -> Self {
        // A thread that is ending has none.
        SPARE.try_with(Cell::take).unwrap_or_default()
    }

    /// Empties it for the thread's next pickle.
    pub(crate) fn keep(mut self) {
        self.clear_stack();
        self.memo.clear();
        let capacities = [
            self.stack.capacity(),
            self.marks.capacity(),
            self.memo.capacity(),
        ];
        if capacities.iter().all(|&capacity| capacity <= MOST) {
            let _ = SPARE.try_with(|spare| spare.set(self));
        }
    }

    /// Empties it but for the memo.
    pub(crate) fn clear_stack(&mut self) {
        self.stack.clear();
        self.marks.clear();
    }
}
