//! Drops graphs of any depth without recursion.

use super::Object;

/// Drops the objects; what they alone hold is emptied into the same heap first.
///
/// A container's own drop calls this with its items, so that no drop is ever inside another's. Of
/// several threads that drop the handles of one container, `Arc::into_inner` gives it to the last.
pub(crate) fn bury(mut heap: Vec<Object>) {
    while let Some(object) = heap.pop() {
        match object {
            Object::List(list) => heap.extend(list.into_items().into_iter().flatten()),
            Object::Tuple(tuple) => heap.extend(tuple.into_items().into_iter().flatten()),
            Object::Dict(dict) => dict.bury_in(&mut heap),
            Object::Set(set) => set.bury_in(&mut heap),
            Object::FrozenSet(set) => set.bury_in(&mut heap),
            Object::Instance(instance) => instance.bury_in(&mut heap),
            _ => {}
        }
    }
}
