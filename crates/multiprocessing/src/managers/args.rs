//! Arguments of a call that came by wire.

use std::sync::Arc;

use hilos_pickle::{Dict, Object, Tuple};
use serde::de::DeserializeOwned;

use super::callable::Callable;
use super::exception::Exception;
use super::referent::Referent;
use super::server::{Home, Line};

/// The arguments that a proxy's method, or the creation of an object, was called with.
pub struct Args<'a> {
    positional: &'a Tuple,
    keywords: &'a Dict,
    home: &'a Arc<Home>,
    /// The connection that they came by.
    line: Option<&'a Line>,
}

impl<'a> Args<'a> {
    pub(crate) fn new(positional: &'a Tuple, keywords: &'a Dict, home: &'a Arc<Home>) -> Self {
        Self {
            positional,
            keywords,
            home,
            line: None,
        }
    }

    /// Says which connection they came by, so that nobody waits for a client that is gone.
    pub(super) fn brought_by(self, line: &'a Line) -> Self {
        let line = Some(line);
        Self { line, ..self }
    }

    /// Whether the client that they came from is gone.
    pub(super) fn is_abandoned(&self) -> bool {
        self.line.is_some_and(Line::is_over)
    }

    /// Those that were given by place.
    pub fn positional(&self) -> &[Object] {
        self.positional
    }

    /// Those that were given by name.
    pub fn keywords(&self) -> &Dict {
        self.keywords
    }

    /// The arguments as a tuple of Rust's types, `let (x, y): (i64, String) = args.parse()?`.
    ///
    /// # Errors
    /// A `TypeError` if they are not of these types, or not so many, or some have names.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Exception> {
        self.no_keywords("call")?;
        hilos_pickle::from_object(&Object::Tuple(self.positional.clone()))
            .map_err(|error| Exception::type_error(error.to_string()))
    }

    /// The object that a proxy among the arguments stands for, if this server holds it.
    pub fn referent(&self, object: &Object) -> Option<Arc<dyn Referent>> {
        self.home.objects.behind(object)
    }

    /// The value of an argument: what it stands for if it is a proxy of this server's.
    ///
    /// # Errors
    /// Those of [`Referent::value`].
    pub fn value(&self, object: &Object) -> Result<Object, Exception> {
        match self.referent(object) {
            Some(referent) => referent.value(),
            None => Ok(object.clone()),
        }
    }

    /// The function that an argument names.
    ///
    /// # Errors
    /// An `AttributeError` if the server does not know it, a `TypeError` if it is no function.
    pub fn callable(&self, object: &Object) -> Result<Callable, Exception> {
        Callable::find(object, self.home)
    }

    /// A method of an argument, by name.
    pub(crate) fn method(&self, object: &Object, name: &str) -> Result<Callable, Exception> {
        Callable::method(object, name, self.home)
    }

    /// No arguments, for a function that takes none.
    pub(crate) fn none(&self, function: &str) -> Result<(), Exception> {
        self.no_keywords(function)?;
        match self.positional.len() {
            0 => Ok(()),
            given => Err(Exception::type_error(format!(
                "{function}() takes no arguments ({given} given)"
            ))),
        }
    }

    /// The argument of a function that takes one.
    pub(crate) fn one(&self, function: &str) -> Result<Object, Exception> {
        self.no_keywords(function)?;
        match &self.positional[..] {
            [argument] => Ok(argument.clone()),
            other => Err(Exception::type_error(format!(
                "{function}() takes exactly one argument ({} given)",
                other.len()
            ))),
        }
    }

    /// The arguments of a function that takes so many, by place alone.
    pub(crate) fn between(
        &self,
        function: &str,
        (least, most): (usize, usize),
    ) -> Result<&[Object], Exception> {
        self.no_keywords(function)?;
        let given = self.positional.len();
        let (quantity, expected) = match given {
            _ if least == most && given != least => ("", least),
            _ if given < least => ("at least ", least),
            _ if given > most => ("at most ", most),
            _ => return Ok(self.positional),
        };
        let name = function.rsplit('.').next().unwrap_or(function);
        let plural = if expected == 1 { "" } else { "s" };
        Err(Exception::type_error(format!(
            "{name} expected {quantity}{expected} argument{plural}, got {given}"
        )))
    }

    /// The arguments of a method that an operator stands for, where Python has it in C.
    pub(crate) fn operands(&self, method: &str, count: usize) -> Result<&[Object], Exception> {
        self.no_keywords(&format!("wrapper {method}"))?;
        let given = self.positional.len();
        if given == count {
            return Ok(self.positional);
        }
        let unpacked = [
            "__setitem__",
            "__setattr__",
            "__mul__",
            "__rmul__",
            "__imul__",
        ];
        let space = if unpacked.contains(&method) { " " } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        let text = format!("{space}expected {count} argument{plural}, got {given}");
        Err(Exception::type_error(text))
    }

    /// The operand of a method that an operator stands for.
    pub(crate) fn operand(&self, method: &str) -> Result<Object, Exception> {
        self.operands(method, 1).map(|operands| operands[0].clone())
    }

    /// The arguments of a function written in Python, of which some must be given; `self` counts.
    pub(crate) fn bind<const N: usize>(
        &self,
        function: &str,
        names: [&str; N],
        required: usize,
    ) -> Result<[Option<Object>; N], Exception> {
        let given = self.positional.len();
        if given > N {
            return Err(too_many(function, (required, N), given));
        }
        let mut bound = [const { None }; N];
        for (place, argument) in bound.iter_mut().zip(self.positional.iter()) {
            *place = Some(argument.clone());
        }
        for (name, argument) in self.keywords.items() {
            let place = names.iter().position(|known| Object::from(*known) == name);
            let problem = match place {
                None => format!("got an unexpected keyword argument {name:?}"),
                Some(place) if bound[place].is_some() => {
                    format!("got multiple values for argument {name:?}")
                }
                Some(place) => {
                    bound[place] = Some(argument);
                    continue;
                }
            };
            return Err(Exception::type_error(format!("{function}() {problem}")));
        }
        let parameters = names.iter().zip(&bound).take(required);
        let missing = parameters.filter(|(_, bound)| bound.is_none());
        let missing: Vec<_> = missing.map(|(name, _)| format!("'{name}'")).collect();
        match missing.is_empty() {
            true => Ok(bound),
            false => Err(too_few(function, &missing)),
        }
    }

    pub(crate) fn no_keywords(&self, function: &str) -> Result<(), Exception> {
        match self.keywords.is_empty() {
            true => Ok(()),
            false => Err(Exception::type_error(format!(
                "{function}() takes no keyword arguments"
            ))),
        }
    }
}

fn too_few(function: &str, missing: &[String]) -> Exception {
    let plural = if missing.len() == 1 { "" } else { "s" };
    Exception::type_error(format!(
        "{function}() missing {} required positional argument{plural}: {}",
        missing.len(),
        missing.join(" and ")
    ))
}

fn too_many(function: &str, (least, most): (usize, usize), given: usize) -> Exception {
    let (least, most, given) = (least + 1, most + 1, given + 1);
    let takes = match least == most {
        true => format!(
            "{most} positional argument{}",
            if most == 1 { "" } else { "s" }
        ),
        false => format!("from {least} to {most} positional arguments"),
    };
    Exception::type_error(format!("{function}() takes {takes} but {given} were given"))
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.positional, self.keywords)
    }
}
