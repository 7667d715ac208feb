//! Some of Python's objects, as pickles have them.

use hilos_pickle::{Dict, Global, Instance, Object, Slice, Tuple};

/// `slice(start, stop, step)`.
pub(super) fn slice(slice: Slice) -> Object {
    let bounds = [slice.start, slice.stop, slice.step];
    let bounds = bounds.map(|bound| bound.map_or(Object::None, Object::from));
    Instance::reduce(Global::new("builtins", "slice"), Tuple::from_iter(bounds)).into()
}

/// A dict of names.
pub(super) fn dict<I>(items: I) -> Dict
where
    I: IntoIterator<Item = (&'static str, Object)>,
{
    let dict = Dict::new();
    for (name, value) in items {
        // A str is a possible key.
        let _ = dict.insert(name, value);
    }
    dict
}

/// What a view of a dict becomes: `list([…])`, or a plain list.
pub(super) fn listed(object: Object) -> Object {
    match &object {
        Object::Instance(call) if call.is_a("builtins", "list") => match call.args() {
            [items] => items.clone(),
            _ => object,
        },
        _ => object,
    }
}
