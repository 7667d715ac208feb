//! A counted reference to an object in a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hilos_core::time::Deadline;

use super::error::RemoteError;
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
}

impl Reference {
    /// Takes over a reference that the server has counted.
    pub(super) fn counted(server: Arc<Server>, mut description: Travelling) -> Self {
        description.token.address = server.address().clone();
        Self {
            server,
            description,
            owner: AtomicU32::new(std::process::id()),
        }
    }

    /// Has the server count another one.
    pub(super) fn count(
        server: Arc<Server>,
        description: Travelling,
        deadline: Deadline,
    ) -> Result<Self, RemoteError> {
        let mut reference = Self::counted(server, description);
        *reference.owner.get_mut() = 0;
        reference.ensure(deadline)?;
        Ok(reference)
    }

    /// Has the server count this process, if it has not yet.
    pub(super) fn ensure(&self, deadline: Deadline) -> Result<(), RemoteError> {
        let pid = std::process::id();
        if self.owner.load(Ordering::Acquire) == pid {
            return Ok(());
        }
        self.say("incref", deadline)?;
        if self.owner.swap(pid, Ordering::AcqRel) == pid {
            // Another thread was as fast.
            self.say("decref", deadline)?;
        }
        Ok(())
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

impl Drop for Reference {
    fn drop(&mut self) {
        if *self.owner.get_mut() == std::process::id() {
            // A server that is gone has nothing to free.
            let _ = self.say("decref", Deadline::after(FAREWELL));
        }
    }
}
