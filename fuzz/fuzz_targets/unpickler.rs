//! Whatever comes is read or refused; what is read can be hashed, compared and written, and the
//! pickle of it is the pickle of what is read from that.

#![no_main]

use hilos_pickle::{Object, Step, Unpickler, dumps_with_protocol, loads};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let object = match loads::<Object>(data) {
        Ok(object) => object,
        Err(error) => {
            let _ = format!("{error:?}");
            // A reader does not say beforehand that there is less in it than was announced.
            return Unpickler::new(data).load().map_or((), untie);
        }
    };
    for protocol in 2..=5 {
        write_and_read(&object, protocol);
    }
    let _ = object.hash();
    let _ = object.partial_cmp(&object);
    untie(object);
});

fn write_and_read(object: &Object, protocol: u8) {
    let Ok(once) = dumps_with_protocol(object, protocol) else {
        return;
    };
    let again: Object = loads(&once).expect("a pickle of our own");
    let twice = dumps_with_protocol(&again, protocol).expect("what was written before");
    let third: Object = loads(&twice).expect("a pickle of our own");
    let thrice = dumps_with_protocol(&third, protocol).expect("what was written before");
    assert_eq!(
        twice.escape_ascii().to_string(),
        thrice.escape_ascii().to_string()
    );
    untie(again);
    untie(third);
}

/// Empties the containers: one that held itself would never be freed.
fn untie(object: Object) {
    let mut seen = std::collections::HashSet::new();
    let mut heap = vec![object];
    while let Some(object) = heap.pop() {
        if object.id() == 0 || !seen.insert(object.id()) {
            continue;
        }
        match &object {
            Object::List(list) => {
                heap.extend(list.to_vec());
                list.clear();
            }
            Object::Dict(dict) => {
                heap.extend(dict.items().into_iter().flat_map(<[Object; 2]>::from));
                dict.clear();
            }
            Object::Set(set) => {
                heap.extend(set.to_vec());
                set.clear();
            }
            Object::Tuple(tuple) => heap.extend(tuple.iter().cloned()),
            Object::FrozenSet(set) => heap.extend(set.iter().cloned()),
            Object::Instance(instance) => {
                heap.extend(instance.args().iter().cloned());
                heap.extend(instance.kwargs().cloned().map(Object::Dict));
                heap.extend(instance.steps().into_iter().flat_map(held));
            }
            _ => {}
        }
        // Its address must not become another object's meanwhile.
        heap.insert(0, object);
    }
}

fn held(step: Step) -> Vec<Object> {
    match step {
        Step::Build(state) | Step::SetState { state, .. } => vec![state],
        Step::Append(items) | Step::Add(items) => items,
        Step::SetItems(pairs) => pairs.into_iter().flat_map(<[Object; 2]>::from).collect(),
        _ => Vec::new(),
    }
}
