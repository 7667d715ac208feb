//! Proxies of a manager's objects, which Python shows as what they are and not as how they are made.

use super::{Instance, Object, repr};

/// The name of a proxy's class and of its object's type; `None` for what is no proxy.
pub(super) fn describe(instance: &Instance) -> Option<(String, String)> {
    if !instance.is_a("multiprocessing.managers", "RebuildProxy") {
        return None;
    }
    let [Object::Global(class), Object::Instance(token), ..] = instance.args() else {
        return None;
    };
    let Some(Object::Tuple(state)) = token.state() else {
        return None;
    };
    let typeid = state.first()?.to_string();
    let class = match repr::short_name(class) {
        auto if auto == "AutoProxy" => format!("AutoProxy[{typeid}]"),
        class => class,
    };
    Some((class, typeid))
}
