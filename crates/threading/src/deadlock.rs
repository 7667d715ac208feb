//! Names the threads and locks of a deadlock; needs the feature `deadlock_detection`.
//!
//! Every [`Lock`](crate::Lock), [`RLock`](crate::RLock) and [`Mutex`](crate::Mutex) then remembers
//! which thread acquired it and where, which makes it several times slower: a tool for finding a
//! bug. A `Lock` that is released by another thread than the one that acquired it, as a signal, is
//! taken for held by the latter until then.
//!
//! ```
//! use hilos_threading as threading;
//!
//! let watcher = threading::deadlock::watch(1, |deadlock| eprintln!("{deadlock}"))?;
//! assert!(threading::deadlock::check().is_empty());
//! watcher.cancel();
//! # Ok::<(), threading::Error>(())
//! ```
//!
//! # Differences from Python
//! Python has no such thing.

use std::fmt;

use hilos_core::deadlock::{Link, find};
use hilos_core::time::Timeout;

use crate::error::Error;
use crate::registry::enumerate;
use crate::{RepeatingTimer, Thread};

/// Threads that wait for one another in a circle.
#[derive(Clone)]
pub struct Deadlock {
    waits: Vec<Wait>,
}

/// One thread of a [`Deadlock`] and the lock that it waits for.
#[derive(Clone)]
pub struct Wait {
    link: Link,
    thread: Option<Thread>,
    holder: Option<Thread>,
}

/// Every deadlock there is at this moment.
///
/// Waits with a timeout are not counted: they end.
pub fn check() -> Vec<Deadlock> {
    let circles = find();
    let threads = enumerate();
    let named = |ident: usize| {
        threads
            .iter()
            .find(|thread| thread.ident() == Some(ident))
            .cloned()
    };
    let wait = |link: Link| {
        let (thread, holder) = (named(link.thread.get()), named(link.held_by.get()));
        Wait {
            link,
            thread,
            holder,
        }
    };
    let deadlock = |circle: Vec<Link>| Deadlock {
        waits: circle.into_iter().map(wait).collect(),
    };
    circles.into_iter().map(deadlock).collect()
}

/// Looks for deadlocks every `interval` seconds in a daemon thread, and gives `callback` each one
/// that it finds, once.
///
/// # Errors
/// As [`Thread::start`].
pub fn watch<T, F>(interval: T, callback: F) -> Result<RepeatingTimer, Error>
where
    T: Into<Timeout>,
    F: Fn(&Deadlock) + Send + 'static,
{
    let interval = interval.into();
    let mut known: Vec<Deadlock> = Vec::new();
    let watcher = RepeatingTimer::new(interval, interval, move |_| {
        let found = check();
        for deadlock in found
            .iter()
            .filter(|deadlock| !known.iter().any(|old| old.is(deadlock)))
        {
            callback(deadlock);
        }
        known = found;
    });
    let watcher = watcher.with_name("hilos-deadlocks").with_daemon(true);
    watcher.start()?;
    Ok(watcher)
}

impl Deadlock {
    /// The threads in the circle, each waiting for what the next one holds.
    pub fn waits(&self) -> &[Wait] {
        &self.waits
    }

    /// Whether it is the same circle of threads and locks, wherever one begins to tell it.
    fn is(&self, other: &Self) -> bool {
        let same = |wait: &Wait| other.waits.iter().any(|theirs| theirs.link == wait.link);
        self.waits.len() == other.waits.len() && self.waits.iter().all(same)
    }
}

impl Wait {
    /// The waiting thread, if hilos knows it.
    pub fn thread(&self) -> Option<&Thread> {
        self.thread.as_ref()
    }

    /// The thread that holds the lock, if hilos knows it.
    pub fn holder(&self) -> Option<&Thread> {
        self.holder.as_ref()
    }

    /// The name that the lock was given by `with_name`.
    pub fn lock_name(&self) -> Option<&'static str> {
        self.link.name
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.waits.len() {
            1 => f.write_str("deadlock of 1 thread:")?,
            threads => write!(f, "deadlock of {threads} threads:")?,
        }
        self.waits
            .iter()
            .try_for_each(|wait| write!(f, "\n  {wait}"))
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link {
            thread,
            waits_at,
            lock,
            name,
            held_by,
            acquired_at,
        } = self.link;
        let thread = named(self.thread(), thread.get());
        let holder = named(self.holder(), held_by.get());
        write!(f, "{thread} waits at {waits_at} for the lock ")?;
        match name {
            Some(name) => write!(f, "{name:?}")?,
            None => write!(f, "at {lock:#x}")?,
        }
        write!(f, ", which {holder} acquired at {acquired_at}")
    }
}

fn named(thread: Option<&Thread>, ident: usize) -> String {
    thread.map_or_else(|| format!("thread {ident}"), Thread::name)
}

impl fmt::Debug for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
