//! `threading.Barrier`.

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use hilos_core::ident::get_ident;
use hilos_core::sync::atomic::{AtomicUsize, Ordering};
use hilos_core::sync::{Condvar, Mutex, MutexGuard, spin_until};
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
/// - The action may use the barrier itself, which would wait for ever in CPython; to
///   [`wait`](Self::wait) there is an error, because it could only end after itself.
/// - A timeout beyond [`TIMEOUT_MAX`](crate::TIMEOUT_MAX) waits for ever; CPython refuses it.
/// - Once all have come, all go on; in CPython an [`abort`](Self::abort) may overtake some.
///
/// Mirrors [`threading.Barrier`](https://docs.python.org/3.14/library/threading.html#threading.Barrier).
pub struct Barrier {
    parties: usize,
    action: Option<Box<dyn Fn() + Send + Sync>>,
    timeout: Timeout,
    state: Mutex<State>,
    /// How often it has opened, counted under the lock. Whoever finds that it has opened since
    /// they came goes on, whatever has happened since.
    opened: AtomicUsize,
    changed: Condvar,
}

struct State {
    phase: Phase,
    /// How many threads have come and wait for the others, or must still see that it was broken.
    count: usize,
    /// The thread that runs the action.
    actor: Option<NonZeroUsize>,
}

/// What happens at the barrier.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Threads come in, until all are there.
    Filling,
    /// All are there, and the last one runs the action.
    Acting,
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
            actor: None,
        });
        let (timeout, changed) = (Timeout::NEVER, Condvar::new());
        Ok(Self {
            parties,
            action: None,
            timeout,
            state,
            opened: AtomicUsize::new(0),
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
    /// Python, a negative timeout has passed at once, and no timeout counts the time that a thread
    /// waits outside because an earlier round has not ended.
    ///
    /// # Errors
    /// [`BrokenBarrierError`] if the barrier is or becomes broken, is reset, or if this or
    /// another thread's timeout passes, which breaks it for all; so does the action that waits.
    ///
    /// # Panics
    /// If the action panics in this thread; the barrier is then broken for the others.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> Result<usize, BrokenBarrierError> {
        self.wait_unless(timeout, Duration::MAX, || false)
    }

    /// Like [`wait`](Self::wait), but asks every `interval` whether the waiting `is_over`, which breaks the barrier: for
    /// a server that waits for clients, who may be gone.
    #[doc(hidden)]
    pub fn wait_unless<T: Into<Timeout>>(
        &self,
        timeout: T,
        interval: Duration,
        is_over: impl Fn() -> bool,
    ) -> Result<usize, BrokenBarrierError> {
        let timeout = match timeout.into() {
            Timeout::NEVER => self.timeout,
            timeout => timeout,
        };
        let mut state = self.enter()?;
        let deadline = timeout.deadline();
        let index = state.count;
        state.count += 1;
        let passed = if state.count == self.parties {
            self.act(state)
        } else {
            let gives_up = |slice| slice == deadline || is_over();
            self.wait_inside(state, || deadline.at_most(interval), gives_up)
        };
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
            (_, Phase::Resetting) => Phase::Resetting,
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

    /// Waits outside while an action runs, and until all have gone out after a reset.
    fn enter(&self) -> Result<MutexGuard<'_, State>, BrokenBarrierError> {
        let mut state = self.state.lock();
        if state.actor == Some(get_ident()) {
            // The round ends after the action, which would wait for the next one.
            self.break_it(&mut state);
        }
        while matches!(state.phase, Phase::Acting | Phase::Resetting) {
            self.changed.wait(&mut state);
        }
        match state.phase {
            Phase::Broken => Err(BrokenBarrierError),
            _ => Ok(state),
        }
    }

    /// The last thread has come: runs the action and opens the barrier, if all still wait.
    fn act<'a>(&'a self, mut state: MutexGuard<'a, State>) -> bool {
        if let Some(action) = &self.action {
            state.phase = Phase::Acting;
            state.actor = Some(get_ident());
            drop(state);
            let acted = catch_unwind(AssertUnwindSafe(action));
            state = self.state.lock();
            state.actor = None;
            if let Err(payload) = acted {
                self.break_it(&mut state);
                self.leave(&mut state);
                drop(state);
                resume_unwind(payload);
            }
        }
        let all_wait = matches!(state.phase, Phase::Filling | Phase::Acting);
        if all_wait {
            self.open(&mut state);
        } else {
            self.leave(&mut state);
        }
        all_wait
    }

    /// Lets all inside go on, and newcomers meet for the next time.
    fn open(&self, state: &mut MutexGuard<'_, State>) {
        state.phase = Phase::Filling;
        state.count = 0;
        self.opened.fetch_add(1, Ordering::Release);
        self.changed.notify_all();
    }

    /// Waits for the last thread until the next look at whether to give up, which breaks the barrier, and so on;
    /// says whether the barrier opened.
    fn wait_inside<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        next_look: impl Fn() -> Deadline,
        gives_up: impl Fn(Deadline) -> bool,
    ) -> bool {
        let before = self.opened.load(Ordering::Relaxed);
        let opened = || self.opened.load(Ordering::Acquire) != before;
        drop(state);
        if !next_look().is_past() && spin_until(opened) {
            return true;
        }
        state = self.state.lock();
        while !opened() && matches!(state.phase, Phase::Filling | Phase::Acting) {
            let look = next_look();
            let limit = look.instant().filter(|_| state.phase == Phase::Filling);
            let timed_out = match limit {
                Some(moment) => self.changed.wait_until(&mut state, moment).timed_out(),
                None => {
                    self.changed.wait(&mut state);
                    false
                }
            };
            if timed_out && !opened() && state.phase == Phase::Filling && gives_up(look) {
                self.break_it(&mut state);
            }
        }
        let passed = opened();
        if !passed {
            self.leave(&mut state);
        }
        passed
    }

    /// Goes out of a broken barrier; the last thread to do so after a reset lets newcomers in.
    fn leave(&self, state: &mut MutexGuard<'_, State>) {
        state.count -= 1;
        if state.count == 0 && state.phase == Phase::Resetting {
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
