//! Objects that a manager shares.

use std::any::Any;
use std::sync::Arc;

use hilos_pickle::Object;

use super::args::Args;
use super::exception::Exception;

/// An object that a manager's server holds and that proxies call, from Python and from Rust.
///
/// Implement it for a type of your own, and say under which name clients create objects of it with
/// [`BaseManager::register`](super::BaseManager::register). Each client's thread calls from a thread
/// of the server's own, so that a method may block and keeps nobody else waiting.
///
/// ```
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::managers::{Answer, Args, Exception, Referent};
///
/// struct Counter(AtomicI64);
///
/// impl Referent for Counter {
///     fn type_name(&self) -> &str {
///         "Counter"
///     }
///
///     fn exposed(&self) -> &'static [&'static str] {
///         &["increment", "value"]
///     }
///
///     fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
///         match method {
///             "increment" => {
///                 let (step,): (i64,) = args.parse()?;
///                 Ok((self.0.fetch_add(step, Ordering::Relaxed) + step).into())
///             }
///             "value" => Ok(self.0.load(Ordering::Relaxed).into()),
///             _ => Err(self.no_attribute(method)),
///         }
///     }
/// }
/// ```
///
/// # Differences from Python
/// - Python shares any object whatever; here a type says what it shares.
/// - Which methods return proxies, Python's `method_to_typeid`, the [`Answer`] says.
///
/// Mirrors the [customized managers](https://docs.python.org/3.14/library/multiprocessing.html#customized-managers) of Python.
pub trait Referent: Any + Send + Sync {
    /// The name of its type, for texts.
    fn type_name(&self) -> &str;

    /// The methods that proxies may call: Python's `exposed`.
    fn exposed(&self) -> &'static [&'static str];

    /// Calls one of the exposed methods.
    ///
    /// # Errors
    /// What the method raises; it is raised where the proxy was called. So is a panic, as a
    /// `RuntimeError`.
    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception>;

    /// What Python's `repr` gives.
    fn repr(&self) -> String {
        let address = std::ptr::from_ref(self).cast::<()>().addr();
        format!("<{} object at {address:#x}>", self.type_name())
    }

    /// The object itself as far as it can be pickled, which the client copies.
    ///
    /// # Errors
    /// By default a `TypeError`: most objects stay where they are.
    fn value(&self) -> Result<Object, Exception> {
        let text = format!("cannot pickle '{}' object", self.type_name());
        Err(Exception::type_error(text))
    }

    /// What it holds of the objects that clients have given it.
    ///
    /// The server frees an object without proxies when no other object holds one of its proxies. By
    /// default nobody knows, and what was ever given to this object is kept for ever, as in CPython.
    fn contents(&self) -> Option<Object> {
        None
    }

    /// Gives up what belongs to this thread, and with it to the client's connection that has ended: it has
    /// called `acquire` more often than `release`. By default nothing does.
    fn abandon(&self) {}

    /// The exception for a method that is not there.
    fn no_attribute(&self, name: &str) -> Exception {
        Exception::attribute_error(self.type_name(), name)
    }
}

/// What a method of a [`Referent`] returns.
#[derive(Clone)]
#[non_exhaustive]
pub enum Answer {
    /// A value, of which the client gets a copy.
    Value(Object),
    /// An object that stays with the server, under the name of its type; the client gets a proxy.
    Shared(String, Arc<dyn Referent>),
}

impl Answer {
    /// An object that stays with the server.
    pub fn shared<T: Into<String>, R: Referent>(typeid: T, referent: Arc<R>) -> Self {
        Self::Shared(typeid.into(), referent)
    }
}

impl<T: Into<Object>> From<T> for Answer {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}
