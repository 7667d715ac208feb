//! Changes that the server makes in one step.

use hilos_pickle::Global;
use serde::Serialize;

use super::error::RemoteError;
use super::typed::Item;
use super::untyped::Proxy;
use crate::managers::change::{INCR, UPDATE};

/// Adds to the number at a place.
pub(super) fn incr<P, V>(proxy: &Proxy, place: P, by: V) -> Result<V, RemoteError>
where
    P: Serialize,
    V: Item,
{
    proxy.call_as(INCR, (place, by)).map_err(explained)
}

/// Has a function that the server knows make the new value from the one at a place.
pub(super) fn update_by<P, A, V>(
    proxy: &Proxy,
    place: P,
    function: &Global,
    args: A,
) -> Result<V, RemoteError>
where
    P: Serialize,
    A: Serialize,
    V: Item,
{
    let function = hilos_pickle::Object::from(function.clone());
    let args = super::arguments::arguments(&args)?;
    let args = hilos_pickle::Object::from(args);
    proxy
        .call_as(UPDATE, (place, function, args))
        .map_err(explained)
}

/// Says what to do where the server is CPython's, which does not know these methods.
fn explained(error: RemoteError) -> RemoteError {
    match error {
        RemoteError::Traceback(text) if text.contains("is not in exposed=") => {
            RemoteError::Attribute(
                "this manager changes no value in one step, as hilos's managers do: hold a lock of \
                 the manager, then read the value and write it"
                    .to_owned(),
            )
        }
        other => other,
    }
}
