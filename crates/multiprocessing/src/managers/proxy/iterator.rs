//! `multiprocessing.managers.IteratorProxy`.

use hilos_pickle::Global;

use super::error::RemoteError;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// An iterator in a manager's process: that of a dict, or the results of a pool.
    ///
    /// Each item is a call of the server. As an `Iterator` of Rust it gives results, and goes on
    /// after an error if the server's does; one that every call would have, because the server or the
    /// iterator is gone or does not answer, is the last one.
    ///
    /// Mirrors `multiprocessing.managers.IteratorProxy`.
    IteratorProxy<T> {
        /// Whether it has failed for good.
        over: bool,
    }
}

impl<T: Item> IteratorProxy<T> {
    /// Resumes a generator with the value that its `yield` is to have.
    ///
    /// # Errors
    /// [`RemoteError::StopIteration`] if it ends, or what it raises.
    pub fn send<V: serde::Serialize>(&self, value: V) -> Result<T, RemoteError> {
        self.proxy.call_as("send", (value,))
    }

    /// Raises an exception in a generator, by its class and message.
    ///
    /// # Errors
    /// What the generator raises: this exception if it does not handle it.
    pub fn throw(&self, class: &Global, message: &str) -> Result<T, RemoteError> {
        let exception = hilos_pickle::Instance::reduce(
            class.clone(),
            hilos_pickle::Tuple::from_iter([message.into()]),
        );
        self.proxy
            .call_as("throw", (hilos_pickle::Object::from(exception),))
    }

    /// Ends a generator.
    ///
    /// # Errors
    /// What it raises.
    pub fn close(&self) -> Result<(), RemoteError> {
        self.proxy.call_as("close", ())
    }
}

impl<T: Item> Iterator for IteratorProxy<T> {
    type Item = Result<T, RemoteError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.proxy.call_as("__next__", ());
        self.over = is_last(&item);
        match item {
            Err(RemoteError::StopIteration) => None,
            item => Some(item),
        }
    }
}

/// Goes through items by their index, until there is none or they cannot be had any more.
pub(super) fn by_index<T>(
    mut get: impl FnMut(i64) -> Result<T, RemoteError>,
) -> impl Iterator<Item = Result<T, RemoteError>> {
    let mut over = false;
    (0..).map_while(move |index| {
        let item = (!over).then(|| get(index))?;
        over = is_last(&item);
        match item {
            Err(RemoteError::Index(_)) => None,
            item => Some(item),
        }
    })
}

fn is_last<T>(item: &Result<T, RemoteError>) -> bool {
    item.as_ref().is_err_and(|error| error.is_final())
}
