//! What a server has and knows.

use parking_lot::RwLock;

use super::objects::Objects;
use crate::connection::Address;
use crate::managers::registry::Registry;
use crate::managers::{arithmetic, builtins, collecting, keys};

/// The objects of a server, and what it can make and call.
pub(crate) struct Home {
    pub(crate) objects: Objects,
    pub(crate) registry: RwLock<Registry>,
}

impl Home {
    pub(super) fn new(address: Address, own: Registry) -> Self {
        let mut registry = Registry::default();
        arithmetic::register(&mut registry);
        builtins::register(&mut registry);
        collecting::register(&mut registry);
        keys::register(&mut registry);
        registry.extend(own);
        Self {
            objects: Objects::new(address),
            registry: RwLock::new(registry),
        }
    }
}
