//! `multiprocessing.managers.IteratorProxy`.

use hilos_pickle::Global;

use super::error::RemoteError;
use super::typed::{Item, typed_proxy};

typed_proxy! {
    /// An iterator in a manager's process: that of a dict, or the results of a pool.
    ///
    /// Each item is a call of the server. As an `Iterator` of Rust it gives results, and goes on
    /// after an error if the server's does.
    ///
    /// Mirrors `multiprocessing.managers.IteratorProxy`.
    IteratorProxy<T>
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
        match self.proxy.call_as("__next__", ()) {
            Err(RemoteError::StopIteration) => None,
            item => Some(item),
        }
    }
}
