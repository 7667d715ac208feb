//! Functions that clients send, by name.

use std::sync::Arc;

use hilos_pickle::{Dict, Instance, Object, Tuple};

use super::args::Args;
use super::exception::Exception;
use super::referent::{Answer, Referent};
use super::registry::Function;
use super::server::Home;

/// A function that a client has named, a method of an object, or an object of a class that has a
/// function's name.
///
/// Python's functions travel as names alone: what a client names must be
/// [registered](super::BaseManager::register_function) with the server. A proxy's method calls the object
/// that the proxy stands for.
#[derive(Clone)]
pub struct Callable {
    function: Function,
    /// What goes before the arguments.
    first: Tuple,
    /// What is given by name unless the caller gives it.
    keywords: Dict,
    home: Arc<Home>,
}

impl Callable {
    pub(super) fn find(object: &Object, home: &Arc<Home>) -> Result<Self, Exception> {
        match object {
            Object::Instance(made) if is_partial(made) => partial(made, home),
            Object::Instance(made) if made.is_a("builtins", "getattr") => match made.args() {
                [object, name] => Self::method(object, name.try_into()?, home),
                _ => Err(Exception::type_error("getattr expected 2 arguments")),
            },
            _ => Self::named(object, home),
        }
    }

    /// A function by its name, or an object whose class has one's.
    fn named(object: &Object, home: &Arc<Home>) -> Result<Self, Exception> {
        let (name, first) = match object {
            Object::Global(function) => (Some(function), Tuple::new()),
            Object::Instance(instance) => {
                (instance.class(), [object.clone()].into_iter().collect())
            }
            _ => (None, Tuple::new()),
        };
        let Some(name) = name else {
            let text = format!("'{}' object is not callable", object.type_name());
            return Err(Exception::type_error(text));
        };
        let function = home.registry.read().function(&name.to_string());
        let (module, attribute) = (name.module(), name.name());
        let text = format!("Can't get attribute '{attribute}' on <module '{module}'>");
        let function = function.ok_or_else(|| Exception::new("AttributeError", text))?;
        Ok(Self::new(function, first, home))
    }

    /// A method of an object or of a class, as Python's `getattr` finds it.
    pub(super) fn method(object: &Object, name: &str, home: &Arc<Home>) -> Result<Self, Exception> {
        let referent = home.objects.behind(object).or_else(|| shared(object));
        if let Some(referent) = referent {
            return match referent.exposed().contains(&name) {
                true => Ok(Self::new(bound(referent, name), Tuple::new(), home)),
                false => Err(referent.no_attribute(name)),
            };
        }
        let (owner, first, what) = match object {
            Object::Global(class) => {
                let what = format!("type object '{}'", class.name());
                (class.to_string(), Tuple::new(), what)
            }
            other => {
                let class = other.type_name();
                let first = [other.clone()].into_iter().collect();
                (
                    format!("builtins.{class}"),
                    first,
                    format!("'{class}' object"),
                )
            }
        };
        let function = home.registry.read().function(&format!("{owner}.{name}"));
        let text = format!("{what} has no attribute '{name}'");
        let function = function.ok_or_else(|| Exception::new("AttributeError", text))?;
        Ok(Self::new(function, first, home))
    }

    fn new(function: Function, first: Tuple, home: &Arc<Home>) -> Self {
        Self {
            function,
            first,
            keywords: Dict::new(),
            home: home.clone(),
        }
    }

    /// Calls it.
    ///
    /// # Errors
    /// What the function raises.
    pub fn call<A>(&self, args: A, keywords: Dict) -> Result<Object, Exception>
    where
        A: IntoIterator<Item = Object>,
    {
        let args: Tuple = self.first.iter().cloned().chain(args).collect();
        for (name, preset) in self.keywords.items() {
            keywords.setdefault(name, preset)?;
        }
        (self.function)(&Args::new(&args, &keywords, &self.home))
    }
}

/// A value whose methods are those of an object that is shared.
fn shared(object: &Object) -> Option<Arc<dyn Referent>> {
    match object {
        Object::Dict(dict) => Some(Arc::new(dict.clone())),
        Object::List(list) => Some(Arc::new(list.clone())),
        Object::Set(set) => Some(Arc::new(set.clone())),
        _ => None,
    }
}

/// A method of an object as a function.
fn bound(referent: Arc<dyn Referent>, name: &str) -> Function {
    let name = name.to_owned();
    Arc::new(move |args| match referent.call(&name, args)? {
        Answer::Value(value) => Ok(value),
        Answer::Shared(typeid, _) => Err(Exception::type_error(format!(
            "the method '{name}' returns a proxy of '{typeid}', which no function here does"
        ))),
    })
}

/// Whether this is what Python's `multiprocessing` makes of a partial function.
fn is_partial(made: &Instance) -> bool {
    made.is_a("multiprocessing.reduction", "_rebuild_partial")
}

/// A function with some of its arguments.
fn partial(made: &Instance, home: &Arc<Home>) -> Result<Callable, Exception> {
    let (function, args, keywords) = match made.args() {
        // Python makes one of two.
        [Object::Instance(inner), _, _] if is_partial(inner) => {
            return Err(Exception::type_error("a partial function of another"));
        }
        [function, args, keywords] => (function, Tuple::try_from(args)?, keywords),
        _ => {
            return Err(Exception::type_error(
                "_rebuild_partial() takes 3 arguments",
            ));
        }
    };
    let mut callable = Callable::find(function, home)?;
    callable.first = callable.first.iter().chain(args.iter()).cloned().collect();
    callable.keywords = Dict::try_from(keywords)?.copy();
    Ok(callable)
}

impl std::fmt::Debug for Callable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<Callable of {:?}>", self.first)
    }
}
