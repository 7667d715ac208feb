//! `multiprocessing.dummy.Pipe`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use hilos_core::time::{Deadline, Timeout};
use parking_lot::{Condvar, Mutex, MutexGuard};

/// One end of a [`pipe`] between threads: values move through it.
#[derive(Clone)]
pub struct Connection<T> {
    ours: Arc<Channel<T>>,
    theirs: Arc<Channel<T>>,
}

/// What goes one way.
struct Channel<T> {
    values: Mutex<VecDeque<T>>,
    changed: Condvar,
}

/// Creates two connections, each the other's other end: Python's `dummy.Pipe`, which works both
/// ways whatever it is told.
pub fn pipe<T>() -> (Connection<T>, Connection<T>) {
    let [one, other] = [(); 2].map(|()| {
        Arc::new(Channel {
            values: Mutex::default(),
            changed: Condvar::new(),
        })
    });
    let first = Connection {
        ours: one.clone(),
        theirs: other.clone(),
    };
    let second = Connection {
        ours: other,
        theirs: one,
    };
    (first, second)
}

impl<T> Connection<T> {
    /// Sends a value; the other end may be gone.
    pub fn send(&self, value: T) {
        self.theirs.values.lock().push_back(value);
        // All: one who polls would leave the value to nobody.
        self.theirs.changed.notify_all();
    }

    /// Receives a value.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn recv(&self) -> T {
        loop {
            if let Some(value) = self.ours.wait(Deadline::NEVER).pop_front() {
                return value;
            }
        }
    }

    /// Whether there is something to receive, at once or until `timeout` has passed.
    pub fn poll<D: Into<Timeout>>(&self, timeout: D) -> bool {
        !self.ours.wait(timeout.into().deadline()).is_empty()
    }
}

impl<T> Channel<T> {
    /// Waits for a value, or until `deadline`.
    fn wait(&self, deadline: Deadline) -> MutexGuard<'_, VecDeque<T>> {
        let mut values = self.values.lock();
        while values.is_empty() && !deadline.passed() {
            match deadline.instant() {
                Some(moment) => drop(self.changed.wait_until(&mut values, moment)),
                None => self.changed.wait(&mut values),
            }
        }
        values
    }
}

impl<T> fmt::Debug for Connection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<multiprocessing.dummy.connection.Connection>")
    }
}
