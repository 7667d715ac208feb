//! Items of a priority queue that a manager shares.

use std::cmp::Ordering;

use hilos_pickle::Object;

use crate::managers::exception::Exception;
use crate::managers::thrown::throw;

/// A value in Python's order, for a [`PriorityQueue`](hilos_queue::PriorityQueue) that a manager shares.
///
/// The client that puts a value which has no order with those that are there gets Python's `TypeError`.
/// As in Python the value is then in the queue nevertheless, for want of a better place.
///
/// ```
/// use std::sync::Arc;
/// use hilos_multiprocessing as multiprocessing;
/// use hilos_queue::PriorityQueue;
/// use multiprocessing::managers::{BaseManager, Ranked};
///
/// let jobs = Arc::new(PriorityQueue::new(0));
/// let server = BaseManager::new().get_server()?;
/// let shared = jobs.clone();
/// server.register("get_jobs", move |_| Ok(shared.clone()));
/// // Python: Manager.register('get_jobs'); …; m.get_jobs().put((1, 'urgent'))
/// jobs.put(Ranked::new((2, "later"))).unwrap();
/// jobs.put(Ranked::new((1, "urgent"))).unwrap();
/// assert_eq!(jobs.get().unwrap().0, (1, "urgent").into());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Panics
/// Comparing two values that have no order unwinds with the `TypeError`, which a manager's server catches;
/// programs compare with [`Object::less_than`].
#[derive(Clone, Debug)]
pub struct Ranked(
    /// The value.
    pub Object,
);

impl Ranked {
    /// A value of a Rust type as Python's.
    pub fn new<T: Into<Object>>(value: T) -> Self {
        Self(value.into())
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let less = |one: &Self, two: &Self| match one.0.less_than(&two.0) {
            Ok(less) => less,
            Err(error) => throw(Exception::from(error)),
        };
        // A heap asks whether what is there is more than what is new; Python asks the other way round.
        match less(other, self) {
            true => Ordering::Greater,
            false if less(self, other) => Ordering::Less,
            false => Ordering::Equal,
        }
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl From<Object> for Ranked {
    fn from(value: Object) -> Self {
        Self(value)
    }
}

impl From<Ranked> for Object {
    fn from(Ranked(value): Ranked) -> Self {
        value
    }
}
