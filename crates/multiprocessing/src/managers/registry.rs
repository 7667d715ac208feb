//! What a server can make and call, by name.

use std::collections::HashMap;
use std::sync::Arc;

use hilos_pickle::Object;

use super::args::Args;
use super::exception::Exception;
use super::referent::Referent;

/// Makes an object of one type.
pub(crate) type Factory =
    Arc<dyn Fn(&Args<'_>) -> Result<Arc<dyn Referent>, Exception> + Send + Sync>;

/// A function that clients name.
pub(crate) type Function = Arc<dyn Fn(&Args<'_>) -> Result<Object, Exception> + Send + Sync>;

/// The types and functions that a server knows.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    types: HashMap<String, Factory>,
    functions: HashMap<String, Function>,
}

impl Registry {
    /// Has objects of a type be made by a function.
    pub(crate) fn add<R, F>(&mut self, typeid: &str, make: F)
    where
        R: Referent,
        F: Fn(&Args<'_>) -> Result<Arc<R>, Exception> + Send + Sync + 'static,
    {
        let factory = move |args: &Args<'_>| Ok(make(args)? as Arc<dyn Referent>);
        self.types.insert(typeid.to_owned(), Arc::new(factory));
    }

    /// Lets clients name a function of Rust's as if it were one of Python's.
    pub(crate) fn add_function<R, F>(&mut self, name: &str, function: F)
    where
        R: Into<Object>,
        F: Fn(&Args<'_>) -> Result<R, Exception> + Send + Sync + 'static,
    {
        let function = move |args: &Args<'_>| function(args).map(Into::into);
        self.functions.insert(name.to_owned(), Arc::new(function));
    }

    /// Adds what another has, in place of what this one has by the same name.
    pub(crate) fn extend(&mut self, other: Self) {
        self.types.extend(other.types);
        self.functions.extend(other.functions);
    }

    /// What makes objects of a type.
    pub(crate) fn factory(&self, typeid: &str) -> Result<Factory, Exception> {
        let factory = self.types.get(typeid).cloned();
        factory.ok_or_else(|| Exception::new("KeyError", typeid))
    }

    /// The function of a name, which has its module before it.
    pub(crate) fn function(&self, name: &str) -> Option<Function> {
        self.functions.get(name).cloned()
    }
}
