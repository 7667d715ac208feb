//! Going through a queue.

use crate::base::BaseQueue;
use crate::storage::Storage;

/// The items of a queue, until it is shut down; see [`BaseQueue::iter`].
#[derive(Debug)]
pub struct Iter<'a, T, S: Storage<T>> {
    queue: &'a BaseQueue<T, S>,
}

/// The items that are in a queue; see [`BaseQueue::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T, S: Storage<T>> {
    queue: &'a BaseQueue<T, S>,
}

/// The items of a queue, until it is shut down, with the queue itself.
#[derive(Debug)]
pub struct IntoIter<T, S: Storage<T>> {
    queue: BaseQueue<T, S>,
}

impl<'a, T, S: Storage<T>> Iter<'a, T, S> {
    pub(crate) fn new(queue: &'a BaseQueue<T, S>) -> Self {
        Self { queue }
    }
}

impl<'a, T, S: Storage<T>> TryIter<'a, T, S> {
    pub(crate) fn new(queue: &'a BaseQueue<T, S>) -> Self {
        Self { queue }
    }
}

impl<T, S: Storage<T>> Iterator for Iter<'_, T, S> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.get().ok()
    }
}

impl<T, S: Storage<T>> Iterator for TryIter<'_, T, S> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.get_nowait().ok()
    }
}

impl<T, S: Storage<T>> Iterator for IntoIter<T, S> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.get().ok()
    }
}

impl<'a, T, S: Storage<T>> IntoIterator for &'a BaseQueue<T, S> {
    type Item = T;
    type IntoIter = Iter<'a, T, S>;

    fn into_iter(self) -> Iter<'a, T, S> {
        self.iter()
    }
}

impl<T, S: Storage<T>> IntoIterator for BaseQueue<T, S> {
    type Item = T;
    type IntoIter = IntoIter<T, S>;

    fn into_iter(self) -> IntoIter<T, S> {
        IntoIter { queue: self }
    }
}
