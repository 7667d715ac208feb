//! The locks that a client's connection holds.

use std::collections::HashMap;

use hilos_pickle::{Dict, Tuple};

use super::Shared;
use super::session::guarded;
use crate::LOGGER;
use crate::managers::args::Args;
use crate::managers::message::{Reply, Request};

/// How often a connection has acquired which objects, and not released them. The last look at them is
/// when it ends: nobody else can release what belongs to its thread, which dies with it.
pub(super) struct Held<'a> {
    shared: &'a Shared,
    counts: HashMap<String, usize>,
    /// What it has just acquired, and not heard of.
    untold: Option<String>,
}

impl<'a> Held<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        let counts = HashMap::new();
        Self {
            shared,
            counts,
            untold: None,
        }
    }

    /// Looks at what became of a request.
    pub(super) fn note(&mut self, request: &Request, reply: &Reply) {
        let Reply::Return(value) = reply else { return };
        match request.method() {
            "acquire" if value.is_true() => {
                *self.counts.entry(request.ident().to_owned()).or_default() += 1;
                self.untold = Some(request.ident().to_owned());
            }
            "release" => self.released(request.ident()),
            _ => {}
        }
    }

    fn released(&mut self, ident: &str) {
        if let Some(count) = self.counts.get_mut(ident) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(ident);
            }
        }
    }

    /// Whether the client has to hear that it has acquired something.
    pub(super) fn has_news(&self) -> bool {
        self.untold.is_some()
    }

    /// Says that the client hears of it.
    pub(super) fn told(&mut self) {
        self.untold = None;
    }

    /// Releases what a client would have got that left while it waited.
    fn take_back(&mut self, ident: &str) {
        self.released(ident);
        let (home, none) = (&self.shared.home, (Tuple::new(), Dict::new()));
        let _ = guarded(|| {
            let referent = home.objects.get(ident)?;
            referent.call("release", &Args::new(&none.0, &none.1, home))
        });
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(ident) = self.untold.take() {
            self.take_back(&ident);
        }
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
