//! A counted reference to an object in a server.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Once, Weak};
use std::time::Duration;

use hilos_core::time::Deadline;

use super::error::RemoteError;
use super::known::known;
use super::server::Server;
use crate::managers::token::Travelling;

/// How long a server may take to hear that an object is not needed any more.
const FAREWELL: Duration = Duration::from_secs(5);

/// Keeps an object of a server alive, until it is dropped.
pub(super) struct Reference {
    pub(super) server: Arc<Server>,
    /// What a proxy of it is made of; the address is the one that the server is reached by.
    pub(super) description: Travelling,
    /// The process that the server has counted it for; after a fork the child is another.
    owner: AtomicU32,
    /// Its place among those that are [`known`].
    number: u64,
}

impl Reference {
    /// Takes over a reference that the server has counted.
    pub(super) fn counted(server: Arc<Server>, description: Travelling) -> Arc<Self> {
        Self::new(server, description, std::process::id())
    }

    fn new(server: Arc<Server>, mut description: Travelling, owner: u32) -> Arc<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| hilos_threading::register_after_join(release_all));
        description.token.address = server.address().clone();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let reference = Arc::new(Self {
            server,
            description,
            owner: AtomicU32::new(owner),
            number,
        });
        let weak = Arc::downgrade(&reference);
        known().references.insert(number, weak);
        reference
    }

    /// Has the server count another one.
    pub(super) fn count(
        server: Arc<Server>,
        description: Travelling,
        deadline: Deadline,
    ) -> Result<Arc<Self>, RemoteError> {
        let reference = Self::new(server, description, 0);
        reference.ensure(deadline)?;
        Ok(reference)
    }

    /// Has the server count this process, if it has not yet; the process's number.
    pub(super) fn ensure(&self, deadline: Deadline) -> Result<u32, RemoteError> {
        let pid = std::process::id();
        if self.owner.load(Ordering::Acquire) == pid {
            return Ok(pid);
        }
        self.say("incref", deadline)?;
        if self.owner.swap(pid, Ordering::AcqRel) == pid {
            // Another thread was as fast.
            self.say("decref", deadline)?;
        }
        Ok(pid)
    }

    pub(super) fn id(&self) -> &str {
        &self.description.token.id
    }

    fn say(&self, what: &str, deadline: Deadline) -> Result<(), RemoteError> {
        let said = self.server.ask(what, [self.id().into()], deadline);
        said.map(drop).map_err(|error| self.explain(error))
    }

    /// Tells an object that the server does not have from other trouble.
    pub(super) fn explain(&self, error: RemoteError) -> RemoteError {
        match &error {
            RemoteError::Traceback(text) => {
                let missing = format!("KeyError: '{}'", self.id());
                match text.trim_end().ends_with(&missing) {
                    true => RemoteError::Stale(self.id().to_owned()),
                    false => error,
                }
            }
            _ => error,
        }
    }
}

impl Reference {
    /// Has the server count this process no more, unless it has just let another such request wait in
    /// vain: many proxies of a server that stands still would take that time each.
    fn release(&self, deadline: Deadline) {
        let pid = std::process::id();
        let counted = self
            .owner
            .compare_exchange(pid, 0, Ordering::AcqRel, Ordering::Relaxed);
        if counted.is_err() || self.server.silence.lasts() {
            return;
        }
        // A server that is gone has nothing to free.
        if let Err(RemoteError::Unanswered) = self.say("decref", deadline) {
            self.server.silence.begin();
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        known().references.remove(&self.number);
        self.release(Deadline::after(FAREWELL));
    }
}

/// Releases what the process still has when it ends.
pub(crate) fn release_all() {
    let deadline = Deadline::after(FAREWELL);
    let living = std::mem::take(&mut known().references);
    for reference in living.values().filter_map(Weak::upgrade) {
        reference.release(deadline);
    }
}
