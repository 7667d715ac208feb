//! What a server can make, by name.

use std::collections::HashMap;
use std::sync::Arc;

use super::args::Args;
use super::exception::Exception;
use super::referent::Referent;

/// Makes an object of one type.
pub(crate) type Factory =
    Arc<dyn Fn(&Args<'_>) -> Result<Arc<dyn Referent>, Exception> + Send + Sync>;

/// The types that a server knows.
#[derive(Clone, Default)]
pub(crate) struct Registry(HashMap<String, Factory>);

impl Registry {
    /// Has objects of a type be made by a function.
    pub(crate) fn add<R, F>(&mut self, typeid: &str, make: F)
    where
        R: Referent,
        F: Fn(&Args<'_>) -> Result<Arc<R>, Exception> + Send + Sync + 'static,
    {
        let factory = move |args: &Args<'_>| Ok(make(args)? as Arc<dyn Referent>);
        self.0.insert(typeid.to_owned(), Arc::new(factory));
    }

    /// What makes objects of a type.
    pub(crate) fn get(&self, typeid: &str) -> Result<Factory, Exception> {
        let factory = self.0.get(typeid).cloned();
        factory.ok_or_else(|| Exception::new("KeyError", typeid))
    }
}
