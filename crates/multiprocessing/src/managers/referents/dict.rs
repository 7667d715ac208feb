//! `dict`.

use hilos_pickle::{Dict, Object};

use super::iterator::PythonIterator;
use super::values::{dict_of, iterate, iterator_over, pairs};
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::managers::text::text;

/// What Python's `dict(…)` gives.
pub(crate) fn make(args: &Args<'_>) -> Result<Dict, Exception> {
    let dict = Dict::new();
    update(&dict, args, "dict")?;
    Ok(dict)
}

impl Referent for Dict {
    fn type_name(&self) -> &str {
        "dict"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &[
            "__contains__",
            "__delitem__",
            "__getitem__",
            "__ior__",
            "__iter__",
            "__len__",
            "__or__",
            "__reversed__",
            "__ror__",
            "__setitem__",
            "clear",
            "copy",
            "fromkeys",
            "get",
            "items",
            "keys",
            "pop",
            "popitem",
            "setdefault",
            "update",
            "values",
        ]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "__getitem__" => Ok(self.get_item(args.one("dict.__getitem__")?)?.into()),
            "__setitem__" => {
                let operands = args.operands(method, 2)?;
                self.insert(&operands[0], &operands[1])?;
                Ok(().into())
            }
            "__delitem__" => {
                self.pop(args.operand(method)?)?;
                Ok(().into())
            }
            "__contains__" => Ok(self.contains(args.one("dict.__contains__")?)?.into()),
            "__iter__" => {
                args.operands(method, 0)?;
                Ok(keys_of(self.clone()).into())
            }
            "__or__" | "__ror__" | "__ior__" => operator(self, method, args),
            "get" | "pop" | "setdefault" | "fromkeys" => with_default(self, method, args),
            "update" => {
                update(self, args, "update")?;
                Ok(().into())
            }
            _ => whole(self, method, args),
        }
    }

    fn repr(&self) -> String {
        text(format_args!("{self:?}"))
    }

    fn value(&self) -> Result<Object, Exception> {
        Ok(self.clone().into())
    }

    fn contents(&self) -> Option<Object> {
        Some(self.clone().into())
    }
}

/// Methods without arguments.
fn whole(dict: &Dict, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    match method {
        "__len__" => args.operands(method, 0).map(drop)?,
        _ => args.none(&format!("dict.{method}"))?,
    }
    Ok(match method {
        "__len__" => dict.len().into(),
        "__reversed__" => iterator_over(dict.keys().into_iter().rev().collect()).into(),
        "clear" => dict.clear().into(),
        "copy" => dict.copy().into(),
        "items" => dict.items().into(),
        "keys" => dict.keys().into(),
        "popitem" => dict.popitem()?.into(),
        "values" => dict.values().into(),
        _ => return Err(dict.no_attribute(method)),
    })
}

/// Methods with a key and perhaps a value for when it is not there.
fn with_default(dict: &Dict, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let arguments = args.between(&format!("dict.{method}"), (1, 2))?;
    let (key, default) = (&arguments[0], arguments.get(1));
    let or_none = || default.cloned().unwrap_or(Object::None);
    Ok(match method {
        "get" => dict.get(key)?.unwrap_or_else(or_none).into(),
        "setdefault" => dict.setdefault(key, or_none())?.into(),
        "fromkeys" => {
            let keys = iterate(args, key)?.into_iter();
            dict_of(keys.map(|key| (key, or_none())).collect())?.into()
        }
        _ => match (dict.pop(key), default) {
            (Err(hilos_pickle::Error::KeyError(_)), Some(default)) => default.into(),
            (popped, _) => popped?.into(),
        },
    })
}

fn operator(dict: &Dict, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    let other = args.one(&format!("dict.{method}"))?;
    if method == "__ior__" {
        dict.update(pairs(args, &other)?)?;
        return Ok(dict.clone().into());
    }
    let Object::Dict(other) = args.value(&other)? else {
        return Ok(Object::from(hilos_pickle::Global::new("builtins", "NotImplemented")).into());
    };
    let (left, right) = match method {
        "__or__" => (dict, &other),
        _ => (&other, dict),
    };
    let union = left.copy();
    union.update(right.items())?;
    Ok(union.into())
}

fn update(dict: &Dict, args: &Args<'_>, function: &str) -> Result<(), Exception> {
    if let [_, _, ..] = args.positional() {
        let given = args.positional().len();
        let text = format!("{function} expected at most 1 argument, got {given}");
        return Err(Exception::type_error(text));
    }
    if let [other] = args.positional() {
        dict.update(pairs(args, other)?)?;
    }
    Ok(dict.update(args.keywords().items())?)
}

/// Goes through the keys as long as their number stays.
fn keys_of(dict: Dict) -> PythonIterator {
    let length = dict.len();
    let mut keys = dict.keys().into_iter();
    PythonIterator::trying("dict_keyiterator", move || {
        if dict.len() != length {
            let text = "dictionary changed size during iteration";
            return Some(Err(Exception::runtime_error(text)));
        }
        keys.next().map(Ok)
    })
}
