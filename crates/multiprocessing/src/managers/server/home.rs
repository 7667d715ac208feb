//! What a server has and knows.

use parking_lot::RwLock;

use super::objects::Objects;
use crate::connection::Address;
use crate::managers::registry::Registry;
use crate::managers::{builtins, keys};

/// The objects of a server, and what it can make and call.
pub(crate) struct Home {
    pub(crate) objects: Objects,
    pub(crate) registry: RwLock<Registry>,
}

impl Home {
    pub(super) fn new(address: Address, own: Registry) -> Self {
        let mut registry = Registry::default();
        builtins::register(&mut registry);
        keys::register(&mut registry);
        registry.extend(own);
        Self {
            objects: Objects::new(address),
            registry: RwLock::new(registry),
        }
    }
}
