//! Looking through graphs of objects.

use std::collections::HashSet;

use hilos_pickle::{Object, Step};

use super::token::{Token, Travelling};

/// The tokens of the proxies in an object and in all that it holds.
pub(crate) fn proxies_in(object: &Object) -> Vec<Token> {
    let (mut tokens, mut seen) = (Vec::new(), HashSet::new());
    let mut heap = vec![object.clone()];
    while let Some(object) = heap.pop() {
        match &object {
            Object::List(_)
            | Object::Tuple(_)
            | Object::Dict(_)
            | Object::Set(_)
            | Object::FrozenSet(_)
            | Object::Instance(_) => {}
            _ => continue,
        }
        if !seen.insert(object.id()) {
            continue;
        }
        match Travelling::is_proxy(&object).then(|| Travelling::try_from(&object)) {
            Some(Ok(proxy)) => tokens.push(proxy.token),
            _ => unfold(&object, &mut heap),
        }
    }
    tokens
}

/// Adds what an object holds.
fn unfold(object: &Object, heap: &mut Vec<Object>) {
    match object {
        Object::List(list) => heap.extend(list.to_vec()),
        Object::Tuple(tuple) => heap.extend(tuple.iter().cloned()),
        Object::Set(set) => heap.extend(set.to_vec()),
        Object::FrozenSet(set) => heap.extend(set.iter().cloned()),
        Object::Dict(dict) => heap.extend(dict.items().into_iter().flat_map(<[Object; 2]>::from)),
        Object::Instance(instance) => {
            heap.extend(instance.args().iter().cloned());
            heap.extend(instance.kwargs().cloned().map(Object::Dict));
            for step in instance.steps() {
                match step {
                    Step::Build(state) | Step::SetState { state, .. } => heap.push(state),
                    Step::Append(items) | Step::Add(items) => heap.extend(items),
                    Step::SetItems(pairs) => {
                        heap.extend(pairs.into_iter().flat_map(<[Object; 2]>::from));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}
