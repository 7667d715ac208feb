//! Drops graphs of any depth without recursion.

use super::Object;

/// Drops the objects; what they alone hold is emptied into the same heap first.
///
/// A container's own drop calls this with its items, so that no drop is ever inside another's. Of
/// several threads that drop the handles of one container, `Arc::into_inner` gives it to the last.
#[inline]
pub(crate) fn bury(heap: Vec<Object>) {
    // As of most containers.
    if !heap.is_empty() {
        empty(heap);
    }
}

fn empty(mut heap: Vec<Object>) {
    while let Some(object) = heap.pop() {
        match object {
            Object::List(list) => list.bury_in(&mut heap),
            Object::Tuple(tuple) => tuple.bury_in(&mut heap),
            Object::Dict(dict) => dict.bury_in(&mut heap),
            Object::Set(set) => set.bury_in(&mut heap),
            Object::FrozenSet(set) => set.bury_in(&mut heap),
            Object::Instance(instance) => instance.bury_in(&mut heap),
            _ => {}
        }
    }
}

/// Moves what can hold other objects to the heap.
pub(super) fn sort_out<'a, I: IntoIterator<Item = &'a mut Object>>(
    objects: I,
    heap: &mut Vec<Object>,
) {
    for object in objects {
        if object.is_container() {
            heap.push(std::mem::replace(object, Object::None));
        }
    }
}
