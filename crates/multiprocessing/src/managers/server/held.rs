//! The locks that a client's connection holds.

use std::collections::HashMap;

use super::Shared;
use super::session::guarded;
use crate::LOGGER;
use crate::managers::message::{Reply, Request};

/// How often a connection has acquired which objects, and not released them. The last look at them is
/// when it ends: nobody else can release what belongs to its thread, which dies with it.
pub(super) struct Held<'a> {
    shared: &'a Shared,
    counts: HashMap<String, usize>,
}

impl<'a> Held<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        let counts = HashMap::new();
        Self { shared, counts }
    }

    /// Looks at what became of a request.
    pub(super) fn note(&mut self, request: &Request, reply: &Reply) {
        let Reply::Return(value) = reply else { return };
        match request.method() {
            "acquire" if value.is_true() => {
                *self.counts.entry(request.ident().to_owned()).or_default() += 1;
            }
            "release" => {
                if let Some(count) = self.counts.get_mut(request.ident()) {
                    *count -= 1;
                    if *count == 0 {
                        self.counts.remove(request.ident());
                    }
                }
            }
            _ => {}
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for ident in self.counts.keys() {
            if let Ok(referent) = self.shared.home.objects.get(ident) {
                let name = referent.type_name();
                tracing::warn!(target: LOGGER, "manager: a connection has ended that held a {name}");
                let abandon = || {
                    referent.abandon();
                    Ok(())
                };
                let _ = guarded(abandon);
            }
        }
    }
}
