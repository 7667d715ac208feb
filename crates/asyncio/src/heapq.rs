//! Python's `heapq`: which of several equal items comes first is part of the order that programs see.

/// A heap whose items come out in exactly the order in which CPython's do, also if they are equal.
#[derive(Clone, Debug)]
pub(crate) struct Heap<T> {
    items: Vec<T>,
    less: fn(&T, &T) -> bool,
}

impl<T> Heap<T> {
    /// An empty heap, in which `less` says what comes first.
    pub(crate) const fn new(less: fn(&T, &T) -> bool) -> Self {
        let items = Vec::new();
        Self { items, less }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn peek(&self) -> Option<&T> {
        self.items.first()
    }

    pub(crate) fn push(&mut self, item: T) {
        self.items.push(item);
        self.towards_root(0, self.items.len() - 1);
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.items.is_empty() {
            return None;
        }
        let first = self.items.swap_remove(0);
        if !self.items.is_empty() {
            self.towards_leaves(0);
        }
        Some(first)
    }

    /// Removes and returns the items that `gone` accepts, and arranges the others anew.
    pub(crate) fn extract(&mut self, mut gone: impl FnMut(&T) -> bool) -> Vec<T> {
        let removed = self.items.extract_if(.., |item| gone(item)).collect();
        for place in (0..self.items.len() / 2).rev() {
            self.towards_leaves(place);
        }
        removed
    }

    /// Moves the item at `place` up, past those that it comes before.
    fn towards_root(&mut self, root: usize, mut place: usize) {
        while place > root {
            let parent = (place - 1) / 2;
            if !(self.less)(&self.items[place], &self.items[parent]) {
                break;
            }
            self.items.swap(place, parent);
            place = parent;
        }
    }

    /// Moves the item at `root` down to a leaf along the lesser children, and from there up again.
    fn towards_leaves(&mut self, root: usize) {
        let end = self.items.len();
        let mut place = root;
        while 2 * place + 1 < end {
            let child = 2 * place + 1;
            let right = child + 1;
            let lesser = match right < end && !(self.less)(&self.items[child], &self.items[right]) {
                true => right,
                false => child,
            };
            self.items.swap(place, lesser);
            place = lesser;
        }
        self.towards_root(root, place);
    }
}
