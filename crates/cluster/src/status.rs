//! What a queue and its workers look like.

use std::fmt;
use std::time::Duration;

use crate::engine::{Engine, Redis, Server, Snapshot};
use crate::error::Error;

/// A queue at a moment, as `hilos cluster status` prints it.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// How many tasks wait in the queue.
    pub queued: u64,
    /// How many tasks workers hold, of which they run as many as they have busy slots.
    pub held: u64,
    /// How many tasks were ever submitted.
    pub submitted: u64,
    /// How many have been done.
    pub done: u64,
    /// How many have failed.
    pub failed: u64,
    /// How many were taken back by their clients.
    pub cancelled: u64,
    /// How often a task was given to a second worker, because the first had not renewed its lease.
    pub retried: u64,
    /// How many have ended with a lost worker.
    pub lost: u64,
    /// The workers that have reported of late.
    pub workers: Vec<WorkerStatus>,
    /// The server's clock, in ms.
    now: u64,
}

/// A worker, as it has reported itself.
#[derive(Clone, Debug, Default)]
pub struct WorkerStatus {
    /// Its name in the queue.
    pub name: String,
    /// The machine's name.
    pub host: String,
    /// Its process number there.
    pub pid: u32,
    /// How many tasks it runs at once, at most.
    pub slots: usize,
    /// How many it runs.
    pub busy: usize,
    /// How long it has been there.
    pub age: Duration,
    /// How long ago it has reported.
    pub seen: Duration,
}

/// Looks at a queue.
///
/// # Errors
/// [`Error::Url`] and [`Error::Server`].
///
/// # Blocking
/// For some commands of the server, each for five seconds at most.
pub fn status(url: &str, queue: &str) -> Result<Status, Error> {
    let mut engine = Redis::new(&Server::new(url)?, queue);
    engine.connect(&|| false)?;
    engine.status().map(Status::new).map_err(Error::from)
}

impl Status {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        let count = |name| {
            let named = snapshot.counts.iter().find(|(other, _)| other == name);
            named.map_or(0, |(_, count)| *count)
        };
        let mut workers: Vec<_> = snapshot
            .workers
            .iter()
            .filter_map(|(name, seen, said)| WorkerStatus::parse(name, *seen, said, snapshot.now))
            .collect();
        workers.sort_by(|one, other| (&one.host, one.pid).cmp(&(&other.host, other.pid)));
        Self {
            queued: snapshot.tasks.saturating_sub(snapshot.held),
            held: snapshot.held,
            submitted: count("submitted"),
            done: count("done"),
            failed: count("failed"),
            cancelled: count("cancelled"),
            retried: count("retried"),
            lost: count("lost"),
            workers,
            now: snapshot.now,
        }
    }

    /// How many slots all workers have.
    pub fn slots(&self) -> usize {
        self.workers.iter().map(|worker| worker.slots).sum()
    }

    /// How many tasks a second came to their end since an earlier look.
    pub fn rate_since(&self, earlier: &Self) -> f64 {
        let ended = |status: &Self| status.done + status.failed + status.lost;
        let tasks = ended(self).saturating_sub(ended(earlier));
        let millis = self.now.saturating_sub(earlier.now).max(1);
        tasks as f64 * 1000.0 / millis as f64
    }
}

impl WorkerStatus {
    /// What a worker says of itself.
    pub(crate) fn text(host: &str, slots: usize, busy: usize, age: Duration) -> String {
        let pid = std::process::id();
        format!("{host}\t{pid}\t{slots}\t{busy}\t{}", age.as_millis())
    }

    fn parse(name: &str, seen: u64, said: &str, now: u64) -> Option<Self> {
        let mut parts = said.split('\t');
        Some(Self {
            name: name.to_owned(),
            host: parts.next()?.to_owned(),
            pid: parts.next()?.parse().ok()?,
            slots: parts.next()?.parse().ok()?,
            busy: parts.next()?.parse().ok()?,
            age: Duration::from_millis(parts.next()?.parse().ok()?),
            seen: Duration::from_millis(now.saturating_sub(seen)),
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let busy: usize = self.workers.iter().map(|worker| worker.busy).sum();
        writeln!(
            f,
            "queued {}, with workers {}, running {busy}",
            self.queued, self.held
        )?;
        writeln!(
            f,
            "submitted {}, done {}, failed {}, cancelled {}, retried {}, lost {}",
            self.submitted, self.done, self.failed, self.cancelled, self.retried, self.lost
        )?;
        writeln!(f, "workers {}, slots {}", self.workers.len(), self.slots())?;
        for worker in &self.workers {
            writeln!(f, "  {worker}")?;
        }
        Ok(())
    }
}

impl fmt::Display for WorkerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            pid,
            slots,
            busy,
            ..
        } = self;
        let (age, seen) = (self.age.as_secs(), self.seen.as_secs_f64());
        write!(
            f,
            "{host} pid {pid}: {busy} of {slots} busy, up {age} s, seen {seen:.1} s ago"
        )
    }
}
