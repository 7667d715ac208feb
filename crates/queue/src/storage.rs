//! In which order a queue gives its items back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Where a queue keeps its items, and in which order it gives them back.
///
/// Implement it for an order of your own, as a subclass overrides `_put` and `_get` in Python. It
/// is called under the queue's lock: it must not use the queue. If it panics, the item in question
/// may be lost, and the queue goes on.
pub trait Storage<T> {
    /// Adds an item.
    fn put(&mut self, item: T);

    /// Takes the next item, `None` if there is none.
    fn get(&mut self) -> Option<T>;

    /// How many items there are.
    fn qsize(&self) -> usize;
}

/// First in, first out: the order of [`Queue`](crate::Queue).
#[derive(Clone, Debug)]
pub struct Fifo<T>(VecDeque<T>);

impl<T> Fifo<T> {
    /// The items in their order, the next one first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Storage<T> for Fifo<T> {
    fn put(&mut self, item: T) {
        self.0.push_back(item);
    }

    fn get(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn qsize(&self) -> usize {
        self.0.len()
    }
}

/// Last in, first out: the order of [`LifoQueue`](crate::LifoQueue).
#[derive(Clone, Debug)]
pub struct Lifo<T>(Vec<T>);

impl<T> Lifo<T> {
    /// The items, the next one first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().rev()
    }
}

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Storage<T> for Lifo<T> {
    fn put(&mut self, item: T) {
        self.0.push(item);
    }

    fn get(&mut self) -> Option<T> {
        self.0.pop()
    }

    fn qsize(&self) -> usize {
        self.0.len()
    }
}

/// The least item first: the order of [`PriorityQueue`](crate::PriorityQueue).
#[derive(Clone, Debug)]
pub struct Priority<T>(BinaryHeap<Reverse<T>>);

impl<T> Priority<T> {
    /// The items, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|Reverse(item)| item)
    }
}

impl<T: Ord> Default for Priority<T> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}

impl<T: Ord> Storage<T> for Priority<T> {
    fn put(&mut self, item: T) {
        self.0.push(Reverse(item));
    }

    fn get(&mut self) -> Option<T> {
        self.0.pop().map(|Reverse(item)| item)
    }

    fn qsize(&self) -> usize {
        self.0.len()
    }
}
