//! `Value` and `Namespace`.

use hilos_pickle::{Dict, Global, Instance, Object, Tuple};
use parking_lot::Mutex;

use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::managers::text::text;

/// One value that a manager shares.
///
/// ```
/// use std::sync::Arc;
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::managers::{BaseManager, Value};
///
/// let counter = Arc::new(Value::new("i", 7));
/// let server = BaseManager::new().get_server()?;
/// let shared = counter.clone();
/// server.register("counter", move |_| Ok(shared.clone()));
/// // Python: Manager.register('counter', proxytype=ValueProxy); …; m.counter().value = 8
/// assert_eq!(counter.get(), 7.into());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// Mirrors `multiprocessing.managers.Value`.
pub struct Value {
    typecode: Object,
    value: Mutex<Object>,
}

/// What Python's `Value(typecode, value, lock)` gives.
pub(crate) fn make_value(args: &Args<'_>) -> Result<Value, Exception> {
    let names = ["typecode", "value", "lock"];
    let [typecode, value, _lock] = args.bind("Value.__init__", names, 2)?;
    Ok(Value {
        typecode: typecode.into(),
        value: Mutex::new(value.into()),
    })
}

impl Value {
    /// A value; Python's letter for a type is only shown.
    pub fn new<V: Into<Object>>(typecode: &str, value: V) -> Self {
        Self {
            typecode: typecode.into(),
            value: Mutex::new(value.into()),
        }
    }

    /// The value.
    pub fn get(&self) -> Object {
        self.value.lock().clone()
    }

    /// Replaces the value.
    pub fn set<V: Into<Object>>(&self, value: V) {
        let old = std::mem::replace(&mut *self.value.lock(), value.into());
        // Not under the lock.
        drop(old);
    }

    /// Replaces the value if it is still `current`, the very object; whether it was.
    pub fn replace_if<V: Into<Object>>(&self, current: &Object, value: V) -> bool {
        let mut place = self.value.lock();
        if !place.is(current) {
            return false;
        }
        let old = std::mem::replace(&mut *place, value.into());
        drop(place);
        drop(old);
        true
    }
}

impl Referent for Value {
    fn type_name(&self) -> &str {
        "Value"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["get", "set"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "get" => {
                args.bind("Value.get", [], 0)?;
                Ok(self.get().into())
            }
            "set" => {
                let [value] = args.bind("Value.set", ["value"], 1)?;
                self.set(Object::from(value));
                Ok(().into())
            }
            _ => Err(self.no_attribute(method)),
        }
    }

    fn repr(&self) -> String {
        text(format_args!("Value({:?}, {:?})", self.typecode, self.get()))
    }

    fn value(&self) -> Result<Object, Exception> {
        let state = Dict::new();
        state.insert("_typecode", &self.typecode)?;
        state.insert("_value", self.get())?;
        Ok(made("Value", state))
    }

    fn contents(&self) -> Option<Object> {
        Some(self.get())
    }
}

/// Attributes that a manager shares.
///
/// ```
/// use hilos_multiprocessing::managers::Namespace;
///
/// let namespace = Namespace::new();
/// namespace.set("x", 10);
/// assert_eq!(namespace.get("x"), Some(10.into()));
/// assert_eq!(namespace.get("y"), None);
/// ```
///
/// Mirrors [`multiprocessing.managers.Namespace`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.Namespace).
#[derive(Default)]
pub struct Namespace {
    attributes: Dict,
}

/// What Python's `Namespace(**kwds)` gives.
pub(crate) fn make_namespace(args: &Args<'_>) -> Result<Namespace, Exception> {
    if !args.positional().is_empty() {
        let given = args.positional().len() + 1;
        let text =
            format!("Namespace.__init__() takes 1 positional argument but {given} were given");
        return Err(Exception::type_error(text));
    }
    let attributes = args.keywords().copy();
    Ok(Namespace { attributes })
}

impl Namespace {
    /// A namespace without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<Object> {
        // A str is a possible key.
        self.attributes.get(name).unwrap_or_default()
    }

    /// Sets an attribute.
    pub fn set<V: Into<Object>>(&self, name: &str, value: V) {
        let _ = self.attributes.insert(name, value);
    }

    pub(in crate::managers) fn attributes(&self) -> &Dict {
        &self.attributes
    }

    pub(in crate::managers) fn absent(&self, name: &Object) -> Exception {
        match name {
            Object::Str(text) => self.no_attribute(&text.to_string()),
            other => no_name(other),
        }
    }
}

/// What Python says of an attribute's name that is no text.
pub(super) fn no_name(object: &Object) -> Exception {
    let given = object.type_name();
    Exception::type_error(format!("attribute name must be string, not '{given}'"))
}

impl Referent for Namespace {
    fn type_name(&self) -> &str {
        "Namespace"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["__getattribute__", "__setattr__", "__delattr__"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        let wanted = if method == "__setattr__" { 2 } else { 1 };
        let arguments = args.operands(method, wanted)?;
        let name = &arguments[0];
        if !matches!(name, Object::Str(_)) {
            return Err(self.absent(name));
        }
        match method {
            "__getattribute__" if *name == Object::from("__dict__") => {
                Ok(self.attributes.copy().into())
            }
            "__getattribute__" => {
                let value = self.attributes.get(name)?;
                Ok(value.ok_or_else(|| self.absent(name))?.into())
            }
            "__setattr__" => {
                self.attributes.insert(name, &arguments[1])?;
                Ok(().into())
            }
            _ => {
                self.attributes.pop(name).map_err(|_| self.absent(name))?;
                Ok(().into())
            }
        }
    }

    fn repr(&self) -> String {
        let mut parts: Vec<String> = self
            .attributes
            .items()
            .iter()
            .map(|(name, value)| text(format_args!("{name}={value:?}")))
            .filter(|part| !part.starts_with('_'))
            .collect();
        parts.sort();
        format!("Namespace({})", parts.join(", "))
    }

    fn value(&self) -> Result<Object, Exception> {
        Ok(made("Namespace", self.attributes.copy()))
    }

    fn contents(&self) -> Option<Object> {
        Some(self.attributes.clone().into())
    }
}

/// An object of one of the classes of Python's `managers`, with these attributes.
fn made(class: &str, state: Dict) -> Object {
    let class = Global::new("multiprocessing.managers", class);
    let instance = Instance::new_object(class, Tuple::new());
    match state.is_empty() {
        true => instance.into(),
        false => instance.with_state(state).into(),
    }
}
