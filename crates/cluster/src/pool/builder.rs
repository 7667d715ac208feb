//! What a pool is told when it is made.

use std::time::Duration;

use super::ClusterPool;
use crate::client::{Client, Setup};
use crate::engine::Server;
use crate::error::Error;

/// How many tasks a client has unanswered, at most.
const WINDOW: usize = 2000;

/// How long the server keeps what it has of a client that says nothing.
const EXPIRY: Duration = Duration::from_secs(60);

/// Sets up a [`ClusterPool`]; made by [`ClusterPool::builder`].
#[must_use = "a pool is made by `build`"]
#[derive(Clone, Debug)]
pub struct ClusterPoolBuilder {
    server: Result<Server, Error>,
    queue: String,
    window: usize,
    expiry: Duration,
}

impl ClusterPoolBuilder {
    pub(super) fn new(url: &str, queue: &str) -> Self {
        Self {
            server: Server::new(url),
            queue: queue.to_owned(),
            window: WINDOW,
            expiry: EXPIRY,
        }
    }

    /// How many tasks may be unanswered at a time; 2,000 by default, and never more than 128 MiB.
    ///
    /// Further ones wait in this program.
    pub fn with_window(mut self, window: usize) -> Self {
        self.window = window.max(1);
        self
    }

    /// How long the server keeps tasks and results of this client when it hears nothing of it; a
    /// minute by default.
    pub fn with_expiry(mut self, expiry: Duration) -> Self {
        self.expiry = expiry;
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// [`Error::Url`], and [`Error::Server`] if the server refuses or cannot be reached within five
    /// seconds. Later, the pool connects again by itself.
    ///
    /// # Blocking
    /// Until there is a connection, for five seconds at most.
    pub fn build(self) -> Result<ClusterPool, Error> {
        let setup = Setup {
            server: self.server?,
            queue: self.queue,
            window: self.window,
            expiry: self.expiry.max(Duration::from_millis(100)),
        };
        Client::start(setup).map(ClusterPool::of)
    }
}
