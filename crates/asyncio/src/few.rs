//! A list that is mostly empty or of one item, and then needs no memory of its own.

use std::cell::Cell;

#[derive(Default)]
pub(crate) enum Few<T> {
    #[default]
    None,
    One(T),
    /// Boxed because there are many of these lists, and few are long.
    #[expect(clippy::box_collection, reason = "a list is smaller so")]
    Many(Box<Vec<T>>),
}

impl<T> Few<T> {
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        match self {
            // There is nothing to drop.
            Self::None => std::mem::forget(std::mem::replace(self, Self::One(item))),
            _ => self.push_another(item),
        }
    }

    fn push_another(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(item),
            Self::One(first) => Self::Many(Box::new(vec![first, item])),
            Self::Many(mut items) => {
                items.push(item);
                Self::Many(items)
            }
        };
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }

    /// Removes and returns the items that `gone` accepts.
    pub(crate) fn extract(&mut self, mut gone: impl FnMut(&T) -> bool) -> Vec<T> {
        match self {
            Self::None => Vec::new(),
            Self::One(item) if !gone(item) => Vec::new(),
            Self::One(_) => std::mem::take(self).into_iter().collect(),
            Self::Many(items) => items.extract_if(.., |item| gone(item)).collect(),
        }
    }
}

/// Drops what is in the list, which mostly is nothing.
#[inline(always)]
pub(crate) fn clear<T>(place: &Cell<Few<T>>) {
    match place.take() {
        Few::None => {}
        Few::One(item) => drop(item),
        Few::Many(items) => drop(items),
    }
}

/// Adds an item to the list in `place`, which mostly is empty.
#[inline]
pub(crate) fn push<T>(place: &Cell<Few<T>>, item: T) {
    let mut items = place.take();
    items.push(item);
    put(place, items);
}

/// Puts a list where none is: `Cell::set` would look for one to drop.
#[inline]
fn put<T>(place: &Cell<Few<T>>, list: Few<T>) {
    std::mem::forget(place.replace(list));
}

/// Whether the list that is in `place` has no items.
#[inline]
pub(crate) fn is_empty<T>(place: &Cell<Few<T>>) -> bool {
    within(place, |list| matches!(list, Few::None))
}

/// Calls `f` with the list that is in `place`; nothing else sees it meanwhile.
#[inline]
pub(crate) fn within<T, R>(place: &Cell<Few<T>>, f: impl FnOnce(&mut Few<T>) -> R) -> R {
    let mut list = place.take();
    let result = f(&mut list);
    put(place, list);
    result
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Self::None => (None, Vec::new()),
            Self::One(item) => (Some(item), Vec::new()),
            Self::Many(items) => (None, *items),
        };
        one.into_iter().chain(many)
    }
}
