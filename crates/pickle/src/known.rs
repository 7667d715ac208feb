//! What older protocols write as calls, though it is no instance.

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
    let builtin = |name| Global::new("builtins", name);
    Functions {
        bytes: builtin("bytes"),
        bytearray: builtin("bytearray"),
        set: builtin("set"),
        frozenset: builtin("frozenset"),
        getattr: builtin("getattr"),
        encode: Global::new("_codecs", "encode"),
        new_object_ex: Global::new("copyreg", "__newobj_ex__"),
        latin1: Str::from("latin1"),
    }
});

/// The class or function of these names, the same object for those above.
pub(crate) fn global(module: Str, name: Str) -> Global {
    let known = &*FUNCTIONS;
    let builtins = module == "builtins";
    match name.as_str() {
        Some("bytes") if builtins => known.bytes.clone(),
        Some("bytearray") if builtins => known.bytearray.clone(),
        Some("set") if builtins => known.set.clone(),
        Some("frozenset") if builtins => known.frozenset.clone(),
        Some("getattr") if builtins => known.getattr.clone(),
        Some("encode") if module == "_codecs" => known.encode.clone(),
        _ => Global::new(module, name),
    }
}

/// What a call gives that stands for a value of a builtin type or a nested class.
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
        // A class in a class, before protocol 4; a method is written likewise, but remembered.
        (Some("builtins"), Some("getattr"), [Object::Global(outer), Object::Str(inner)])
            if args.handles() == 1 =>
        {
            let name = [outer.name().as_wtf8(), b".", inner.as_wtf8()].concat();
            let name = Str::from_wtf8(&name);
            name.map(|name| Global::new(outer.module().clone(), name).into())
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
