//! `threading.Barrier`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use hilos_core::sync::{Condvar, Mutex, MutexGuard};
use hilos_core::time::{Deadline, Timeout};

use crate::error::{BrokenBarrierError, ValueError};
use crate::repr::{address, debug_like_display};

/// A meeting point: threads wait there until a fixed number of them has come.
///
/// Use it for work in rounds, where nobody may begin the next round before all have finished
/// this one. It opens as often as all have come.
///
/// ```
/// use std::sync::Arc;
/// use hilos_threading as threading;
/// use threading::{Barrier, Thread};
///
/// let barrier = Arc::new(Barrier::new(2)?);
/// let theirs = barrier.clone();
/// let other = Thread::new(move || theirs.wait(None).map(|_| ()));
/// other.start()?;
/// assert!(barrier.wait(None)? < 2);
/// other.join(None)?;
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - The action may use the barrier itself, which would wait for ever in CPython.
///
/// Mirrors [`threading.Barrier`](https://docs.python.org/3.14/library/threading.html#threading.Barrier).
pub struct Barrier {
    parties: usize,
    action: Option<Box<dyn Fn() + Send + Sync>>,
    timeout: Timeout,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    phase: Phase,
    /// How many threads are inside.
    count: usize,
}

/// What happens at the barrier.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Threads come in, until all are there.
    Filling,
    /// All are there, and the last one runs the action.
    Acting,
    /// They go out; newcomers wait outside.
    Draining,
    /// It was reset while threads waited: they go out with an error, newcomers wait outside.
    Resetting,
    /// Nobody gets through before a reset.
    Broken,
}

impl Barrier {
    /// Creates a barrier for `parties` threads.
    ///
    /// # Errors
    /// [`ValueError`] if `parties` is 0.
    pub fn new(parties: usize) -> Result<Self, ValueError> {
        if parties == 0 {
            return Err(ValueError::NoParties);
        }
        let state = Mutex::new(State {
            phase: Phase::Filling,
            count: 0,
        });
        let (timeout, changed) = (Timeout::NEVER, Condvar::new());
        Ok(Self {
            parties,
            action: None,
            timeout,
            state,
            changed,
        })
    }

    /// Has one of the threads call `action` when all have come, before any goes on.
    pub fn with_action<F: Fn() + Send + Sync + 'static>(mut self, action: F) -> Self {
        self.action = Some(Box::new(action));
        self
    }

    /// Sets the timeout that [`wait`](Self::wait) uses when it is given none.
    pub fn with_timeout<T: Into<Timeout>>(mut self, timeout: T) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Blocks until all threads have come; returns this thread's number among them, from 0 to
    /// `parties - 1`, each number once.
    ///
    /// `None` waits as long as [`with_timeout`](Self::with_timeout) said, or for ever. As in
    /// Python, a negative timeout has passed at once.
    ///
    /// # Errors
    /// [`BrokenBarrierError`] if the barrier is or becomes broken, is reset, or if this or
    /// another thread's timeout passes, which breaks it for all.
    ///
    /// # Panics
    /// If the action panics in this thread; the barrier is then broken for the others.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> Result<usize, BrokenBarrierError> {
        let timeout = timeout.into();
        let timeout = if timeout == Timeout::NEVER {
            self.timeout
        } else {
            timeout
        };
        let deadline = timeout.deadline();
        let mut state = self.enter()?;
        let index = state.count;
        state.count += 1;
        if state.count == self.parties {
            state = self.act(state);
        } else {
            self.wait_inside(&mut state, deadline);
        }
        let passed = state.phase == Phase::Draining;
        self.leave(&mut state);
        if passed {
            Ok(index)
        } else {
            Err(BrokenBarrierError)
        }
    }

    /// Empties the barrier: the threads inside get a [`BrokenBarrierError`], later ones start anew.
    pub fn reset(&self) {
        let mut state = self.state.lock();
        state.phase = match (state.count, state.phase) {
            (0, _) => Phase::Filling,
            // As after a break: the threads inside must see the reset before anyone comes in.
            (_, Phase::Filling | Phase::Acting | Phase::Broken) => Phase::Resetting,
            (_, phase) => phase,
        };
        self.changed.notify_all();
    }

    /// Breaks the barrier: every thread that waits or comes gets a [`BrokenBarrierError`].
    ///
    /// It stays so until [`reset`](Self::reset).
    pub fn abort(&self) {
        self.break_it(&mut self.state.lock());
    }

    /// How many threads must come.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many threads wait inside at the moment.
    pub fn n_waiting(&self) -> usize {
        let state = self.state.lock();
        if matches!(state.phase, Phase::Filling | Phase::Acting) {
            state.count
        } else {
            0
        }
    }

    /// Whether the barrier is broken.
    pub fn broken(&self) -> bool {
        self.state.lock().phase == Phase::Broken
    }

    /// Waits outside until the threads before have gone out.
    fn enter(&self) -> Result<MutexGuard<'_, State>, BrokenBarrierError> {
        let mut state = self.state.lock();
        while matches!(
            state.phase,
            Phase::Acting | Phase::Draining | Phase::Resetting
        ) {
            self.changed.wait(&mut state);
        }
        match state.phase {
            Phase::Broken => Err(BrokenBarrierError),
            _ => Ok(state),
        }
    }

    /// The last thread has come: runs the action and opens the barrier, if all still wait.
    fn act<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if let Some(action) = &self.action {
            state.phase = Phase::Acting;
            drop(state);
            let acted = catch_unwind(AssertUnwindSafe(action));
            state = self.state.lock();
            if let Err(payload) = acted {
                self.break_it(&mut state);
                self.leave(&mut state);
                drop(state);
                resume_unwind(payload);
            }
        }
        if matches!(state.phase, Phase::Filling | Phase::Acting) {
            state.phase = Phase::Draining;
            self.changed.notify_all();
        }
        state
    }

    /// Waits for the last thread, and breaks the barrier if it does not come in time.
    fn wait_inside(&self, state: &mut MutexGuard<'_, State>, deadline: Deadline) {
        while matches!(state.phase, Phase::Filling | Phase::Acting) {
            let limit = deadline.instant().filter(|_| state.phase == Phase::Filling);
            let timed_out = match limit {
                Some(moment) => self.changed.wait_until(state, moment).timed_out(),
                None => {
                    self.changed.wait(state);
                    false
                }
            };
            if timed_out && state.phase == Phase::Filling {
                self.break_it(state);
            }
        }
    }

    /// Goes out; the last thread to do so lets newcomers in.
    fn leave(&self, state: &mut MutexGuard<'_, State>) {
        state.count -= 1;
        if state.count == 0 && matches!(state.phase, Phase::Draining | Phase::Resetting) {
            state.phase = Phase::Filling;
            self.changed.notify_all();
        }
    }

    fn break_it(&self, state: &mut MutexGuard<'_, State>) {
        state.phase = Phase::Broken;
        self.changed.notify_all();
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = address(self);
        match self.broken() {
            true => write!(f, "<threading.Barrier at {address}: broken>"),
            false => {
                let (waiting, parties) = (self.n_waiting(), self.parties);
                write!(
                    f,
                    "<threading.Barrier at {address}: waiters={waiting}/{parties}>"
                )
            }
        }
    }
}

debug_like_display!(Barrier);
