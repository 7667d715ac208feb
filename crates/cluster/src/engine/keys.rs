//! The names of what a queue has on the server.

/// The group of all workers of a queue.
pub(super) const GROUP: &str = "workers";

/// The keys of one queue. The braces keep them on one node of a Redis Cluster.
#[derive(Clone, Debug)]
pub(super) struct Keys(String);

impl Keys {
    pub(super) fn new(queue: &str) -> Self {
        Self(format!("hilos:{{{queue}}}"))
    }

    /// The stream of tasks: those that wait and those that workers hold.
    pub(super) fn tasks(&self) -> String {
        format!("{}:tasks", self.0)
    }

    /// Of each unanswered task of a client, by its number, the place in the stream.
    pub(super) fn submitted(&self, client: &str) -> String {
        format!("{}:submitted:{client}", self.0)
    }

    /// The stream of a client's results. It is there as long as the client is known.
    pub(super) fn results(&self, client: &str) -> String {
        format!("{}:results:{client}", self.0)
    }

    /// What became of how many tasks.
    pub(super) fn counts(&self) -> String {
        format!("{}:counts", self.0)
    }

    /// What each worker said last.
    pub(super) fn workers(&self) -> String {
        format!("{}:workers", self.0)
    }
}
