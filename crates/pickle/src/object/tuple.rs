//! Python's tuple.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Object, burial};

/// An immutable sequence of objects, Python's `tuple`; cloning it gives another handle to the same one.
///
/// It is used as a slice.
///
/// ```
/// use hilos_pickle::{Object, Tuple};
///
/// let tuple = Tuple::from_iter([Object::from(1), Object::from("a")]);
/// assert_eq!(tuple.len(), 2);
/// assert_eq!(tuple[1], Object::from("a"));
/// assert_eq!(format!("{tuple:?}"), "(1, 'a')");
/// ```
///
/// CPython: [`tuple`](https://docs.python.org/3.14/library/stdtypes.html#tuples)
#[derive(Clone, Default)]
pub struct Tuple(
    /// Nothing for the empty tuple, of which Python too has only one.
    Option<Arc<Node>>,
);

struct Node {
    items: Box<[Object]>,
    /// What `hash::of_tuple` found out, or 0.
    hash: AtomicU64,
}

impl Tuple {
    /// The empty tuple.
    pub const fn new() -> Self {
        Self(None)
    }

    pub(crate) fn address(&self) -> usize {
        self.0.as_ref().map_or(0, |node| Arc::as_ptr(node).addr())
    }

    /// How many handles refer to it; 0 if it is empty.
    pub(crate) fn handles(&self) -> usize {
        self.0.as_ref().map_or(0, Arc::strong_count)
    }

    pub(crate) fn known_hash(&self) -> Option<u64> {
        let known = self.0.as_ref()?.hash.load(Ordering::Relaxed);
        (known != 0).then_some(known)
    }

    pub(crate) fn remember_hash(&self, hash: u64) {
        if let Some(node) = &self.0 {
            node.hash.store(hash, Ordering::Relaxed);
        }
    }

    /// Moves what only this handle holds to the heap.
    pub(crate) fn bury_in(self, heap: &mut Vec<Object>) {
        if let Some(mut node) = self.0.and_then(Arc::into_inner) {
            node.empty_into(heap);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut heap = Vec::new();
        burial::sort_out(&mut self.items, &mut heap);
        burial::bury(heap);
    }
}

impl Node {
    fn empty_into(&mut self, heap: &mut Vec<Object>) {
        let mut items = std::mem::take(&mut self.items);
        burial::sort_out(&mut items, heap);
    }
}

impl Deref for Tuple {
    type Target = [Object];

    #[inline]
    fn deref(&self) -> &[Object] {
        self.0.as_ref().map_or(&[], |node| &node.items)
    }
}

impl From<Vec<Object>> for Tuple {
    fn from(items: Vec<Object>) -> Self {
        Self::from(items.into_boxed_slice())
    }
}

impl From<Box<[Object]>> for Tuple {
    fn from(items: Box<[Object]>) -> Self {
        let node = |items| {
            Arc::new(Node {
                items,
                hash: AtomicU64::new(0),
            })
        };
        Self((!items.is_empty()).then(|| node(items)))
    }
}

/// Without a copy if no other handle refers to the tuple.
impl From<Tuple> for Vec<Object> {
    fn from(tuple: Tuple) -> Self {
        match tuple.0.map(Arc::try_unwrap) {
            None => Self::new(),
            Some(Ok(mut node)) => std::mem::take(&mut node.items).into_vec(),
            Some(Err(shared)) => shared.items.to_vec(),
        }
    }
}

impl FromIterator<Object> for Tuple {
    fn from_iter<I: IntoIterator<Item = Object>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<Box<[Object]>>())
    }
}

impl IntoIterator for Tuple {
    type Item = Object;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter {
            tuple: self,
            next: 0,
        }
    }
}

/// The items of a [`Tuple`].
#[derive(Clone)]
pub struct IntoIter {
    tuple: Tuple,
    next: usize,
}

impl Iterator for IntoIter {
    type Item = Object;

    fn next(&mut self) -> Option<Object> {
        let item = self.tuple.get(self.next).cloned();
        self.next += usize::from(item.is_some());
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.tuple.len() - self.next;
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for IntoIter {}
impl FusedIterator for IntoIter {}

impl PartialEq for Tuple {
    fn eq(&self, other: &Self) -> bool {
        Object::Tuple(self.clone()) == Object::Tuple(other.clone())
    }
}

impl fmt::Debug for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Object::Tuple(self.clone()), f)
    }
}
