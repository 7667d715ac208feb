//! What a server waits for before it answers: what its client offers.

use std::sync::Arc;

use rustls::server::{Acceptor, ClientHello};
use rustls::{Connection, ServerConfig};

use super::errors::ssl_error;
use super::protocol::Tls;
use crate::exception::Result;
use crate::os_error::os_error;

/// A server that offers protocols for what is inside, and has not heard of its client yet.
pub(super) struct Greeting {
    acceptor: Acceptor,
    config: Arc<ServerConfig>,
}

impl Greeting {
    /// `None` if the server offers nothing, so that nothing of its client matters.
    pub(super) fn new(config: &Arc<ServerConfig>) -> Option<Self> {
        (!config.alpn_protocols.is_empty()).then(|| Self {
            acceptor: Acceptor::default(),
            config: config.clone(),
        })
    }

    /// A client that knows none of the protocols goes on without, as with OpenSSL.
    fn config_for(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let ours = &self.config.alpn_protocols;
        let knows = |theirs: &[u8]| ours.iter().any(|own| own == theirs);
        let is_known = hello.alpn().is_none_or(|mut offered| offered.any(knows));
        let mut config = self.config.clone();
        if !is_known {
            Arc::make_mut(&mut config).alpn_protocols.clear();
        }
        config
    }
}

impl Tls {
    /// Takes the client's greeting from `data`, and makes the connection when it is whole.
    pub(super) fn greet(&self, data: &mut &[u8]) -> Result<()> {
        let mut waiting = self.greeting.borrow_mut();
        while let Some(greeting) = &mut *waiting
            && !data.is_empty()
        {
            greeting.acceptor.read_tls(data).map_err(os_error)?;
            let accepted = match greeting.acceptor.accept() {
                Ok(None) => continue,
                Ok(Some(accepted)) => {
                    let config = greeting.config_for(&accepted.client_hello());
                    accepted.into_connection(config)
                }
                Err(refused) => Err(refused),
            };
            *waiting = None;
            let connection = accepted.map_err(|(error, mut alert)| {
                let mut piece = Vec::new();
                // Writing to memory does not fail.
                let _ = alert.write_all(&mut piece);
                self.outgoing.borrow_mut().push(piece);
                ssl_error(error)
            })?;
            let mut connection = Connection::Server(connection);
            connection.set_buffer_limit(None);
            *self.connection.borrow_mut() = connection;
            self.take_in(0)?;
        }
        Ok(())
    }
}
