//! What a scheduler has in its queue.

use std::cmp::Ordering;

/// A function that a scheduler will call, as [`enter`](crate::Scheduler::enter) returns it and
/// [`cancel`](crate::Scheduler::cancel) takes it.
///
/// Events are ordered as they run: by time, then by priority, then by their entry.
///
/// # Differences from Python
/// The action and its arguments are in the closure, which the scheduler keeps to itself.
///
/// Mirrors [`sched.Event`](https://docs.python.org/3.14/library/sched.html).
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub(crate) time: f64,
    pub(crate) priority: i64,
    pub(crate) sequence: u64,
    /// Which scheduler it belongs to.
    pub(crate) scheduler: u64,
}

impl Event {
    /// When it is due, by the scheduler's clock.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// Which of the events of one time goes first: the one with the lowest number.
    pub fn priority(&self) -> i64 {
        self.priority
    }

    /// How many events had been entered before it.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        let ties = |event: &Self| (event.priority, event.sequence, event.scheduler);
        self.time
            .total_cmp(&other.time)
            .then_with(|| ties(self).cmp(&ties(other)))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Event {}
