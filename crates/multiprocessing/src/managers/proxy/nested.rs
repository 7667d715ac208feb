//! Proxies among other values: on their way to a server and from it.

use std::cell::RefCell;
use std::sync::Arc;

use hilos_core::time::Timeout;
use hilos_pickle::{Object, from_object};
use serde::de::DeserializeOwned;

use super::error::RemoteError;
use super::server::Server;
use super::untyped::Proxy;
use crate::connection::Address;
use crate::managers::token::Travelling;

thread_local! {
    /// The server whose reply this thread is reading, and how patient the caller is.
    static SOURCE: RefCell<Option<(Arc<Server>, Timeout)>> = const { RefCell::new(None) };
}

/// What a reply of a server says; proxies in it are counted at once.
pub(super) fn convert<R: DeserializeOwned>(
    value: &Object,
    server: &Arc<Server>,
    patience: Timeout,
) -> Result<R, RemoteError> {
    let outer = SOURCE.replace(Some((server.clone(), patience)));
    let result = from_object(value);
    SOURCE.set(outer);
    Ok(result?)
}

/// The proxy that a pickle describes.
pub(super) fn arrive(object: &Object) -> Result<Proxy, RemoteError> {
    let description = Travelling::try_from(object).map_err(RemoteError::conversion)?;
    let source = SOURCE.with_borrow(Clone::clone);
    let patience = source.as_ref().map_or(Timeout::NEVER, |source| source.1);
    let address = &description.token.address;
    let server = match source {
        Some((source, _)) if is_one(address, source.address()) => source,
        _ => Server::heard_of(address.clone()),
    };
    Proxy::heard_of(server, description, patience)
}

/// Whether a server that calls itself by the first address is the one at the second.
fn is_one(own: &Address, reached: &Address) -> bool {
    match (own, reached) {
        (Address::Inet(own, port), Address::Inet(reached, at)) if port == at => {
            let everywhere = ["", "0.0.0.0", "::"].contains(&own.as_str());
            let here = |host: &str| ["localhost", "127.0.0.1", "::1"].contains(&host);
            everywhere || own == reached || here(own) && here(reached)
        }
        _ => own == reached,
    }
}
