//! `multiprocessing.managers.BaseManager`.

use std::fmt;

use super::registry::Registry;
use super::server::Server;
use crate::connection::{Address, ListenAt};
use crate::error::Error;

/// A manager, to begin with.
pub struct BaseManager {
    address: Option<Address>,
    authkey: Vec<u8>,
    registry: Registry,
}

impl BaseManager {
    /// A manager.
    pub fn new() -> Self {
        Self {
            address: None,
            authkey: crate::current::authkey(),
            registry: Registry::default(),
        }
    }

    /// Says where it listens.
    #[must_use]
    pub fn with_address<A: Into<Address>>(mut self, address: A) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Says the key.
    #[must_use]
    pub fn with_authkey(mut self, authkey: &[u8]) -> Self {
        self.authkey = authkey.to_vec();
        self
    }

    /// With Python's types.
    pub fn sync() -> Self {
        let mut manager = Self::new();
        super::referents::register(&mut manager.registry);
        manager
    }

    /// A server.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn get_server(&self) -> Result<Server, Error> {
        Server::new(
            ListenAt::from(self.address.clone()),
            &self.authkey,
            self.registry.clone(),
        )
    }
}

impl Default for BaseManager {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BaseManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<BaseManager>")
    }
}
