//! The calls that are due later, in the order of CPython's heap.

use std::rc::Rc;

use crate::events::Scheduled;
use crate::heapq::Heap;

/// Fewer timers than this are not looked through for cancelled ones.
const MIN_SCHEDULED: usize = 100;

pub(crate) struct Timers {
    /// The time is beside the handle, so that comparing does not follow pointers.
    heap: Heap<(f64, Rc<dyn Scheduled>)>,
    /// How many of them are cancelled.
    cancelled: usize,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            heap: Heap::new(|one, other| one.0 < other.0),
            cancelled: 0,
        }
    }
}

impl Timers {
    pub(crate) fn push(&mut self, handle: Rc<dyn Scheduled>) {
        handle.head().in_heap.set(true);
        self.heap.push((handle.head().when(), handle));
    }

    pub(crate) fn count_cancelled(&mut self) {
        self.cancelled += 1;
    }

    pub(crate) fn any_cancelled(&self) -> bool {
        self.cancelled > 0
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<f64> {
        self.heap.peek().map(|(when, _)| *when)
    }

    /// Removes the cancelled timers that are next, or all if they are more than half of many.
    ///
    /// They are returned to be dropped elsewhere.
    pub(crate) fn prune(&mut self) -> Vec<Rc<dyn Scheduled>> {
        let mut pruned = Vec::new();
        if self.heap.len() > MIN_SCHEDULED && self.cancelled * 2 > self.heap.len() {
            let removed = self
                .heap
                .extract(|(_, handle)| handle.head().is_cancelled());
            pruned.extend(removed.into_iter().map(|(_, handle)| handle));
            self.cancelled = 0;
        } else {
            while let Some((_, handle)) = self.heap.peek()
                && handle.head().is_cancelled()
            {
                self.cancelled -= 1;
                pruned.extend(self.pop());
            }
        }
        for handle in &pruned {
            handle.head().in_heap.set(false);
        }
        pruned
    }

    /// Takes the next timer if it is due before `end`.
    pub(crate) fn pop_due(&mut self, end: f64) -> Option<Rc<dyn Scheduled>> {
        match self.next() {
            Some(when) if when < end => self.pop(),
            _ => None,
        }
    }

    fn pop(&mut self) -> Option<Rc<dyn Scheduled>> {
        let (_, handle) = self.heap.pop()?;
        handle.head().in_heap.set(false);
        Some(handle)
    }
}
