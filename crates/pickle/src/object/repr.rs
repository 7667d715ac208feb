//! Python's `str` and `repr`, for graphs of any depth and with cycles.

use std::collections::HashSet;
use std::fmt;

use super::{Construction, Global, Instance, Object, Step, builtin, proxy, quote};

/// What Python's `str(x)` gives.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => fmt::Display::fmt(text, f),
            other => write(other, f),
        }
    }
}

/// What Python's `repr(x)` gives.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, f)
    }
}

/// A container of which a part is written.
struct Frame {
    address: usize,
    parts: std::vec::IntoIter<Part>,
}

enum Part {
    Text(&'static str),
    Name(String),
    Object(Object),
}

fn write(object: &Object, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut open: Vec<Frame> = Vec::new();
    let mut addresses = HashSet::new();
    start(object, &mut open, &mut addresses, f)?;
    while let Some(frame) = open.last_mut() {
        match frame.parts.next() {
            Some(Part::Text(text)) => f.write_str(text)?,
            Some(Part::Name(name)) => f.write_str(&name)?,
            Some(Part::Object(object)) => start(&object, &mut open, &mut addresses, f)?,
            None => {
                addresses.remove(&frame.address);
                open.pop();
            }
        }
    }
    Ok(())
}

/// Writes what holds no other object; a container's parts follow.
fn start(
    object: &Object,
    open: &mut Vec<Frame>,
    addresses: &mut HashSet<usize>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match object {
        Object::None => f.write_str("None"),
        Object::Bool(true) => f.write_str("True"),
        Object::Bool(false) => f.write_str("False"),
        Object::Int(int) => write!(f, "{int}"),
        Object::BigInt(big) => write!(f, "{big}"),
        Object::Float(float) => quote::float(*float, f),
        Object::Str(text) => quote::text(text, f),
        Object::Bytes(bytes) => quote::bytes(bytes, f),
        Object::ByteArray(bytes) => write!(f, "{bytes:?}"),
        Object::Global(global) => write!(f, "{global:?}"),
        container if addresses.insert(container.address()) => {
            let (address, parts) = (container.address(), parts(container).into_iter());
            open.push(Frame { address, parts });
            Ok(())
        }
        inside_itself => f.write_str(ellipsis(inside_itself)),
    }
}

fn ellipsis(object: &Object) -> &'static str {
    match object {
        Object::List(_) => "[...]",
        Object::Tuple(_) => "(...)",
        Object::Dict(_) => "{...}",
        Object::Set(_) => "set(...)",
        Object::FrozenSet(_) => "frozenset(...)",
        _ => "...",
    }
}

fn parts(object: &Object) -> Vec<Part> {
    match object {
        Object::List(list) => enclosed("[", list.to_vec(), "]"),
        Object::Tuple(tuple) if tuple.len() == 1 => enclosed("(", tuple.to_vec(), ",)"),
        Object::Tuple(tuple) => enclosed("(", tuple.to_vec(), ")"),
        Object::Dict(dict) => mapping(dict.items()),
        Object::Set(set) if set.is_empty() => vec![Part::Text("set()")],
        Object::Set(set) => enclosed("{", set.to_vec(), "}"),
        Object::FrozenSet(set) if set.is_empty() => vec![Part::Text("frozenset()")],
        Object::FrozenSet(set) => enclosed("frozenset({", set.iter().cloned().collect(), "})"),
        Object::Instance(instance) => of_instance(instance),
        _ => Vec::new(),
    }
}

fn enclosed(open: &'static str, items: Vec<Object>, close: &'static str) -> Vec<Part> {
    let mut parts = vec![Part::Text(open)];
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            parts.push(Part::Text(", "));
        }
        parts.push(Part::Object(item));
    }
    parts.push(Part::Text(close));
    parts
}

fn mapping(pairs: Vec<(Object, Object)>) -> Vec<Part> {
    let mut parts = vec![Part::Text("{")];
    for (position, (key, value)) in pairs.into_iter().enumerate() {
        if position > 0 {
            parts.push(Part::Text(", "));
        }
        parts.extend([Part::Object(key), Part::Text(": "), Part::Object(value)]);
    }
    parts.push(Part::Text("}"));
    parts
}

/// `name(arguments, [items], {pairs})`, or Python's default for what was made without a call.
fn of_instance(instance: &Instance) -> Vec<Part> {
    if let Some((class, typeid)) = proxy::describe(instance) {
        let (typeid, address) = (Object::from(typeid), instance.address());
        let text = format!("<{class} object, typeid {typeid:?} at {address:#x}>");
        return vec![Part::Name(text)];
    }
    if let Some(text) = builtin::describe(instance) {
        return vec![Part::Name(text)];
    }
    let function = match instance.class() {
        Some(class) if instance.construction() == Construction::Reduce => short_name(class),
        Some(class) => {
            let address = instance.address();
            return vec![Part::Name(format!("<{class} object at {address:#x}>"))];
        }
        None => "object".to_owned(),
    };
    let mut groups: Vec<Vec<Part>> = instance
        .args()
        .iter()
        .map(|item| vec![Part::Object(item.clone())])
        .collect();
    for step in instance.steps() {
        match step {
            Step::Append(items) | Step::Add(items) => groups.push(enclosed("[", items, "]")),
            Step::SetItems(pairs) => groups.push(mapping(pairs)),
            _ => {}
        }
    }
    let mut parts = vec![Part::Name(function), Part::Text("(")];
    for (position, group) in groups.into_iter().enumerate() {
        if position > 0 {
            parts.push(Part::Text(", "));
        }
        parts.extend(group);
    }
    parts.push(Part::Text(")"));
    parts
}

/// The name of a class without those it is in.
pub(super) fn short_name(class: &Global) -> String {
    let name = class.name().to_string();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}
