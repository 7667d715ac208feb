//! The arguments of a call, as the server wants them.

use hilos_pickle::{Dict, Object, Tuple, to_object};
use serde::Serialize;

use super::error::RemoteError;

/// Anything that serialises as a tuple, also `()`; a list counts as well.
///
/// A proxy among them has to live until the server has it.
pub(super) fn arguments<A: Serialize>(args: &A) -> Result<Tuple, RemoteError> {
    match to_object(args)? {
        Object::Tuple(arguments) => Ok(arguments),
        Object::None => Ok(Tuple::from(Vec::new())),
        Object::List(arguments) => Ok(Tuple::from(arguments.to_vec())),
        other => Err(RemoteError::conversion(format_args!(
            "arguments are a tuple, not a {}",
            other.type_name()
        ))),
    }
}

/// A map or a struct; `()` is none.
pub(super) fn keywords<K: Serialize>(kwargs: &K) -> Result<Dict, RemoteError> {
    match to_object(kwargs)? {
        Object::None => Ok(Dict::new()),
        kwargs => Dict::try_from(&kwargs).map_err(RemoteError::conversion),
    }
}
