//! What closures write down for the test that made them.

use std::cell::RefCell;
use std::rc::Rc;

/// A list that closures append to.
#[derive(Clone, Debug)]
pub(crate) struct Log<T>(Rc<RefCell<Vec<T>>>);

impl<T> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::default())
    }

    pub(crate) fn push(&self, item: T) {
        self.0.borrow_mut().push(item);
    }

    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}
