//! The locks that a client's connection holds.

use std::collections::HashMap;
use std::sync::Arc;

use hilos_pickle::{Dict, Tuple};

use super::Shared;
use super::session::guarded;
use crate::LOGGER;
use crate::managers::args::Args;
use crate::managers::message::{Reply, Request};
use crate::managers::referent::Referent;

/// How often a connection has acquired which objects, and not released them. The last look at them is
/// when it ends: nobody else can release what belongs to its thread, which dies with it.
pub(super) struct Held<'a> {
    shared: &'a Shared,
    objects: HashMap<String, Acquired>,
    /// What it has just acquired, and not heard of.
    untold: Option<String>,
}

/// An object, which may have lost all names by the time at which its holder's end is noticed.
struct Acquired {
    referent: Arc<dyn Referent>,
    times: usize,
}

impl<'a> Held<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            objects: HashMap::new(),
            untold: None,
        }
    }

    /// Looks at what became of a request to an object.
    pub(super) fn note(&mut self, referent: &Arc<dyn Referent>, request: &Request, reply: &Reply) {
        let Reply::Return(value) = reply else { return };
        match request.method() {
            "acquire" if value.is_true() => {
                let new = || Acquired {
                    referent: referent.clone(),
                    times: 0,
                };
                let ident = request.ident().to_owned();
                self.objects.entry(ident).or_insert_with(new).times += 1;
                self.untold = Some(request.ident().to_owned());
            }
            "release" => self.released(request.ident()),
            _ => {}
        }
    }

    fn released(&mut self, ident: &str) {
        if let Some(acquired) = self.objects.get_mut(ident) {
            acquired.times -= 1;
            if acquired.times == 0 {
                self.objects.remove(ident);
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
        let Some(acquired) = self.objects.get(ident) else {
            return;
        };
        let (home, none) = (&self.shared.home, (Tuple::new(), Dict::new()));
        let args = Args::new(&none.0, &none.1, home);
        let _ = guarded(|| acquired.referent.call("release", &args));
        self.released(ident);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(ident) = self.untold.take() {
            self.take_back(&ident);
        }
        for Acquired { referent, .. } in self.objects.values() {
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
