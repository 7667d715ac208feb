//! What a future knows: its state, and whom to tell when it is done.

use std::sync::Arc;
use std::task::Waker;

use hilos_threading::Exception;

use crate::future::Future;
use crate::waiter::Waiter;

/// Where a future is on its way.
pub(crate) enum State<T> {
    Pending,
    Running,
    /// Cancelled, but the executor has not come across it yet.
    Cancelled,
    /// Cancelled, and [`wait`](crate::wait()) and [`as_completed`](crate::as_completed()) know.
    CancelledAndNotified,
    /// Done; the value is there until somebody takes it.
    Finished(Result<Option<T>, Exception>),
}

impl<T> State<T> {
    /// The name of the state in Python.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Cancelled => "CANCELLED",
            Self::CancelledAndNotified => "CANCELLED_AND_NOTIFIED",
            Self::Finished(_) => "FINISHED",
        }
    }

    /// What Python prints of the state.
    pub(crate) fn description(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Cancelled | Self::CancelledAndNotified => "cancelled",
            Self::Finished(_) => "finished",
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled | Self::CancelledAndNotified)
    }

    fn failed(&self) -> bool {
        matches!(self, Self::Finished(Err(_)))
    }
}

/// What to do when a future is done.
pub(crate) type Callback<T> = Box<dyn FnOnce(&Future<T>) + Send>;

/// What the handles of a future share, under its lock.
pub(crate) struct Core<T> {
    pub(crate) state: State<T>,
    /// Calls of `wait` and `as_completed`, each with the number it has given to this future.
    waiters: Vec<(Arc<Waiter>, usize)>,
    /// Tasks that await the future, each with its key.
    wakers: Vec<(u64, Waker)>,
    /// The key of the next task.
    next_key: u64,
    pub(crate) callbacks: Vec<Callback<T>>,
}

impl<T> Core<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Pending,
            waiters: Vec::new(),
            wakers: Vec::new(),
            next_key: 0,
            callbacks: Vec::new(),
        }
    }

    /// Tells `waiter` when the executor is through with the future, now if it is already.
    pub(crate) fn add_waiter(&mut self, waiter: &Arc<Waiter>, number: usize) {
        match self.state {
            State::Finished(_) | State::CancelledAndNotified => {
                waiter.tell(number, self.state.failed());
            }
            _ => self.waiters.push((waiter.clone(), number)),
        }
    }

    pub(crate) fn remove_waiter(&mut self, waiter: &Arc<Waiter>) {
        self.waiters
            .retain(|(other, _)| !Arc::ptr_eq(other, waiter));
    }

    /// Tells every waiter that the executor is through with the future.
    pub(crate) fn tell_waiters(&mut self) {
        let failed = self.state.failed();
        for (waiter, number) in self.waiters.drain(..) {
            waiter.tell(number, failed);
        }
    }

    /// Has `waker` woken when the future is done, in place of what `key` stands for.
    pub(crate) fn set_waker(&mut self, key: &mut Option<u64>, waker: &Waker) {
        let known = self
            .wakers
            .iter_mut()
            .find(|(other, _)| Some(*other) == *key);
        match known {
            Some((_, old)) => old.clone_from(waker),
            None => {
                *key = Some(self.next_key);
                self.wakers.push((self.next_key, waker.clone()));
                self.next_key += 1;
            }
        }
    }

    pub(crate) fn remove_waker(&mut self, key: u64) {
        self.wakers.retain(|(other, _)| *other != key);
    }

    pub(crate) fn take_wakers(&mut self) -> Vec<(u64, Waker)> {
        std::mem::take(&mut self.wakers)
    }
}
