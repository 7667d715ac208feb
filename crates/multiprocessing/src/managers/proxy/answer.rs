//! What a server's reply means to the caller.

use hilos_pickle::Object;

use super::error::RemoteError;
use super::exception::raised;
use crate::managers::message::{self, Reply};
use crate::managers::token::Token;

/// What a server answers when nothing went wrong.
pub(super) enum Answer {
    /// The result.
    Value(Object),
    /// The result stays with the server, which has counted a reference for the caller.
    Proxy(Vec<String>, Token),
}

pub(super) fn decode(bytes: &[u8]) -> Result<Answer, RemoteError> {
    match message::decode(bytes)? {
        Reply::Return(value) => Ok(Answer::Value(value)),
        Reply::Proxy { exposed, token } => Ok(Answer::Proxy(exposed, token)),
        Reply::Error(exception) => Err(raised(&exception)),
        Reply::Traceback(text) => Err(RemoteError::Traceback(text)),
        Reply::Unserializable(text) => Err(RemoteError::Unserializable(text)),
    }
}

/// The result of what never returns a proxy.
pub(super) fn value(answer: Answer) -> Result<Object, RemoteError> {
    match answer {
        Answer::Value(value) => Ok(value),
        Answer::Proxy(_, token) => Err(RemoteError::conversion(format_args!(
            "expected a value, got {token}"
        ))),
    }
}
