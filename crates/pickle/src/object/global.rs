//! Classes and functions, by their names alone.

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::Str;

/// A class or function of a Python module, by name; it is never imported nor called.
///
/// ```
/// use hilos_pickle::{Global, Object};
///
/// let class = Global::new("decimal", "Decimal");
/// assert_eq!(class.to_string(), "decimal.Decimal");
/// assert!(class.is("decimal", "Decimal"));
/// let pickle = hilos_pickle::dumps(&Object::from(class.clone()))?;
/// assert_eq!(hilos_pickle::loads::<Object>(&pickle)?, Object::from(class));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// CPython: [what can be pickled](https://docs.python.org/3.14/library/pickle.html#what-can-be-pickled-and-unpickled)
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Global(Arc<Names>);

#[derive(PartialEq, Eq, Hash)]
struct Names {
    module: Str,
    name: Str,
}

impl Global {
    /// What a module has under a name, in which dots lead into classes.
    pub fn new<M: Into<Str>, N: Into<Str>>(module: M, name: N) -> Self {
        let (mut module, name) = (module.into(), name.into());
        if module == "builtins" {
            let [types, functions] = &*BUILTINS;
            module = if is_function(&name) {
                functions.clone()
            } else {
                types.clone()
            };
        }
        Self(Arc::new(Names { module, name }))
    }

    /// The module, such as `collections`.
    pub fn module(&self) -> &Str {
        &self.0.module
    }

    /// The name in the module, such as `OrderedDict` or `Outer.Inner`.
    pub fn name(&self) -> &Str {
        &self.0.name
    }

    /// Whether this is the name of that module.
    pub fn is(&self, module: &str, name: &str) -> bool {
        self.0.name == *name && self.0.module == *module
    }

    /// How many handles refer to it.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// In CPython the module's name is one object for all builtin types, and another for all builtin
/// functions; which of them a pickle refers to shows in its bytes.
static BUILTINS: LazyLock<[Str; 2]> =
    LazyLock::new(|| [Str::from("builtins"), Str::from("builtins")]);

const BUILTIN_FUNCTIONS: &str = "__build_class__ __import__ abs aiter all anext any ascii bin breakpoint \
    callable chr compile delattr dir divmod eval exec format getattr globals hasattr hash hex id input \
    isinstance issubclass iter len locals max min next oct open ord pow print repr round setattr sorted \
    sum vars";

/// Whether this is the name of one of the builtin functions.
fn is_function(name: &Str) -> bool {
    let mut functions = BUILTIN_FUNCTIONS.split(' ');
    name.as_str()
        .is_some_and(|name| functions.any(|known| known == name))
}

impl fmt::Display for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module(), self.name())
    }
}

/// As Python shows a class, since a pickle does not tell classes from functions but for the builtin ones.
impl fmt::Debug for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is("builtins", "Ellipsis") || self.is("builtins", "NotImplemented") {
            write!(f, "{}", self.name())
        } else if *self.module() == "builtins" && is_function(self.name()) {
            write!(f, "<built-in function {}>", self.name())
        } else if *self.module() == "builtins" {
            write!(f, "<class '{}'>", self.name())
        } else {
            write!(f, "<class '{self}'>")
        }
    }
}
