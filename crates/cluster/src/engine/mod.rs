//! What a cluster needs of a server, so that another one than Redis can be added.

mod entry;
mod keys;
mod link;
mod redis;
mod scripts;

use std::collections::HashSet;
use std::time::Duration;

pub(crate) use link::Server;
pub(crate) use redis::Redis;

use crate::error::Error;

/// A queue of tasks on a server, over one connection.
///
/// Every call either takes effect once or can be repeated without harm: a reply may be lost. After
/// [`Fault::Lost`] the caller says [`connect`](Self::connect) before it goes on.
pub(crate) trait Engine: Send {
    /// Connects, if need be after a while, longer each time; gives up when `patient` says so.
    fn connect(&mut self, patient: &dyn Fn() -> bool) -> Result<(), Error>;

    /// Adds the tasks that the server does not have yet and drops the results that have been
    /// received. Also keeps the client alive. Says whether the server knew the client, with all its
    /// results.
    fn submit(&mut self, news: &News<'_>) -> Result<bool, Fault>;

    /// The numbers of those tasks that the server has or had, as long as it waits for a receipt.
    fn known(&mut self, client: &str) -> Result<HashSet<u64>, Fault>;

    /// The results after a place in the stream, for which it waits.
    fn results(&mut self, client: &str, after: &str, wait: Duration) -> Result<Results, Fault>;

    /// Takes tasks back, from the queue or from workers; says how many were still there.
    fn cancel(&mut self, client: &str, numbers: &[u64]) -> Result<usize, Fault>;

    /// Removes what the server has of a client.
    fn forget(&mut self, client: &str) -> Result<(), Fault>;

    /// Takes up to `count` tasks, for which it waits.
    fn take(&mut self, worker: &str, count: usize, wait: Duration) -> Result<Vec<Delivery>, Fault>;

    /// Takes over up to `count` tasks that nobody has renewed for the length of a lease.
    fn claim(
        &mut self,
        worker: &str,
        lease: Duration,
        count: usize,
    ) -> Result<Vec<Delivery>, Fault>;

    /// Renews the leases of tasks that are really held, each with its client.
    fn renew(&mut self, worker: &str, held: &[(String, String)]) -> Result<Vec<Lease>, Fault>;

    /// Records outcomes; the first one of a task counts.
    fn complete(&mut self, client: &str, outcomes: &[Completion]) -> Result<usize, Fault>;

    /// Puts tasks that were not begun back into the queue.
    fn give_back(&mut self, held: &[(String, String)]) -> Result<(), Fault>;

    /// Says what a worker does, for `status`; without a text it leaves.
    fn report(&mut self, worker: &str, text: &str, valid: Duration) -> Result<(), Fault>;

    /// What the queue looks like.
    fn status(&mut self) -> Result<Snapshot, Fault>;
}

/// What a client tells the server.
#[derive(Debug, Default)]
pub(crate) struct News<'a> {
    pub(crate) client: &'a str,
    /// How long the server keeps what it has of the client.
    pub(crate) expiry: Duration,
    /// Where the client has read the results to.
    pub(crate) read_to: &'a str,
    /// The tasks whose results it has.
    pub(crate) answered: &'a [u64],
    pub(crate) tasks: Vec<NewTask<'a>>,
}

#[derive(Debug)]
pub(crate) struct NewTask<'a> {
    pub(crate) number: u64,
    pub(crate) function: &'a str,
    pub(crate) args: &'a [u8],
    pub(crate) limit: Option<Duration>,
}

/// What was read of a client's results.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) arrivals: Vec<Arrival>,
    /// The place in the stream of the last entry, whatever it was.
    pub(crate) last: Option<String>,
}

/// A result, as a client receives it.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) number: u64,
    pub(crate) outcome: Vec<u8>,
}

/// A task, as a worker receives it.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) client: String,
    pub(crate) number: u64,
    pub(crate) function: String,
    pub(crate) args: Vec<u8>,
    pub(crate) limit: Option<Duration>,
    /// How often it has been given out, this time included.
    pub(crate) attempt: u32,
}

/// What became of a task.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) outcome: Vec<u8>,
    /// As what it is counted.
    pub(crate) kind: &'static str,
}

/// Whose a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lease {
    /// The worker's, for another while.
    Held,
    /// Another's, or nobody's.
    Lost,
    /// Its client is gone, and so is the task.
    Orphan,
}

/// A queue at a moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// The server's clock, in ms.
    pub(crate) now: u64,
    pub(crate) tasks: u64,
    pub(crate) held: u64,
    /// Names, when they were last seen in ms, and what they said.
    pub(crate) workers: Vec<(String, u64, String)>,
    pub(crate) counts: Vec<(String, u64)>,
}

/// Why a call of the server had no effect that is known of.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection, or the server's readiness; to be tried again.
    Lost(String),
    /// The server says no, and will again.
    Refused(String),
}
