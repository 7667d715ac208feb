//! Functions that clients send, by name.

use std::sync::Arc;

use hilos_pickle::{Dict, Object, Tuple};

use super::args::Args;
use super::exception::Exception;
use super::registry::{Function, Registry};
use super::server::Home;

/// A function that a client has named, or an object of a class that has one's name.
///
/// Python's functions travel as names alone: what a client names must be
/// [registered](super::BaseManager::register_function) with the server.
#[derive(Clone)]
pub struct Callable {
    function: Function,
    /// The object that is called, which goes before the arguments.
    receiver: Option<Object>,
    home: Arc<Home>,
}

impl Callable {
    pub(super) fn find(object: &Object, home: &Arc<Home>) -> Result<Self, Exception> {
        let (class, receiver) = match object {
            Object::Global(function) => (Some(function), None),
            Object::Instance(instance) => (instance.class(), Some(object.clone())),
            _ => (None, None),
        };
        let Some(name) = class else {
            let text = format!("'{}' object is not callable", object.type_name());
            return Err(Exception::type_error(text));
        };
        let function = home.registry.read().function(&name.to_string());
        let (module, attribute) = (name.module(), name.name());
        let text = format!("Can't get attribute '{attribute}' on <module '{module}'>");
        Ok(Self {
            function: function.ok_or_else(|| Exception::new("AttributeError", text))?,
            receiver,
            home: home.clone(),
        })
    }

    /// Calls it.
    ///
    /// # Errors
    /// What the function raises.
    pub fn call<A>(&self, args: A, keywords: Dict) -> Result<Object, Exception>
    where
        A: IntoIterator<Item = Object>,
    {
        let args: Tuple = self.receiver.clone().into_iter().chain(args).collect();
        (self.function)(&Args::new(&args, &keywords, &self.home))
    }
}

impl std::fmt::Debug for Callable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<Callable of {:?}>", self.receiver)
    }
}

/// Functions of Python's own that are often sent.
pub(super) fn register(registry: &mut Registry) {
    registry.add_function("builtins.len", |args| match args.one("len")? {
        Object::Str(text) => Ok(text.len()),
        object => Ok(super::referents::iterate(args, &object)?.len()),
    });
    registry.add_function("builtins.str", |args| Ok(args.one("str")?.to_string()));
    registry.add_function("builtins.repr", |args| {
        Ok(format!("{:?}", args.one("repr")?))
    });
    registry.add_function("builtins.bool", |args| Ok(args.one("bool")?.is_true()));
    registry.add_function("builtins.float", |args| {
        Ok(f64::try_from(&args.one("float")?)?)
    });
    registry.add_function("builtins.int", |args| match args.one("int")? {
        Object::Float(float) => Ok(Object::from(float as i128)),
        Object::Str(text) => Ok(text.to_string().trim().parse()?),
        number => Ok(i128::try_from(&number)?.into()),
    });
    registry.add_function("builtins.abs", |args| match args.one("abs")? {
        Object::Float(float) => Ok(Object::from(float.abs())),
        number => Ok(i128::try_from(&number)?.unsigned_abs().into()),
    });
    registry.add_function("time.sleep", |args| {
        let (seconds,): (f64,) = args.parse()?;
        let duration = std::time::Duration::try_from_secs_f64(seconds)
            .map_err(|_| Exception::value_error("sleep length must be non-negative"))?;
        std::thread::sleep(duration);
        Ok(())
    });
}
