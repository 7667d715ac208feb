//! The builtin types that older protocols write as calls.

use std::sync::LazyLock;

use crate::object::Object;
use crate::{ByteArray, Bytes, Error, FrozenSet, Global, Set, Str, Tuple};

/// The functions that such calls name; one object each, as in Python.
pub(crate) struct Functions {
    pub(crate) bytes: Global,
    pub(crate) bytearray: Global,
    pub(crate) set: Global,
    pub(crate) frozenset: Global,
    pub(crate) getattr: Global,
    pub(crate) encode: Global,
    pub(crate) new_object_ex: Global,
    pub(crate) latin1: Str,
}

pub(crate) static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let builtins = Str::from("builtins");
    let builtin = |name: &str| Global::new(builtins.clone(), name);
    Functions {
        bytes: builtin("bytes"),
        bytearray: builtin("bytearray"),
        set: builtin("set"),
        frozenset: builtin("frozenset"),
        getattr: Global::new("builtins", "getattr"),
        encode: Global::new("_codecs", "encode"),
        new_object_ex: Global::new("copyreg", "__newobj_ex__"),
        latin1: Str::from("latin1"),
    }
});

/// What a call gives that stands for a value of a builtin type.
pub(crate) fn value(function: &Global, args: &Tuple) -> Result<Option<Object>, Error> {
    let name = function.name().as_str();
    Ok(match (function.module().as_str(), name, &**args) {
        (Some("builtins"), Some("set"), [Object::List(items)]) => {
            Some(Set::from_items(items.to_vec())?.into())
        }
        (Some("builtins"), Some("frozenset"), [Object::List(items)]) => {
            Some(FrozenSet::from_items(items.to_vec())?.into())
        }
        (Some("builtins"), Some("bytes"), []) => Some(Bytes::from(Vec::new()).into()),
        (Some("builtins"), Some("bytearray"), []) => Some(ByteArray::from(Vec::new()).into()),
        (Some("builtins"), Some("bytearray"), [Object::Bytes(bytes)]) => {
            Some(ByteArray::from(&**bytes).into())
        }
        (Some("builtins"), Some("bytearray"), [Object::Str(text), Object::Str(encoding)]) => {
            latin1(text, encoding).map(|bytes| ByteArray::from(bytes).into())
        }
        (Some("_codecs"), Some("encode"), [Object::Str(text), Object::Str(encoding)]) => {
            latin1(text, encoding).map(|bytes| Bytes::from(bytes).into())
        }
        _ => None,
    })
}

/// The bytes whose values are the characters.
fn latin1(text: &Str, encoding: &Str) -> Option<Vec<u8>> {
    let known = matches!(encoding.as_str(), Some("latin1" | "latin-1"));
    let bytes = text.code_points().map(|point| u8::try_from(point).ok());
    known.then(|| bytes.collect()).flatten()
}
