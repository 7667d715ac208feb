//! Where tasks wait for a worker, and who may bring more.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::error::JobError;
use super::task::Task;
use crate::failure::Failure;

/// What the users of a pool and those who run it share.
pub(super) struct Desk<J, B> {
    pub(super) state: Mutex<State<J>>,
    pub(super) bell: B,
}

pub(super) struct State<J> {
    pub(super) pending: VecDeque<Task<J>>,
    pub(super) phase: Phase,
    /// How many calls are still bringing tasks.
    calls: usize,
    /// Why no worker can work.
    broken: Option<Failure>,
}

/// What the pool does with jobs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Takes them.
    Running,
    /// Does those it has.
    Closed,
    /// Drops them.
    Terminated,
}

/// Tells those who run the pool that something is new.
pub(super) trait Bell: Send + Sync {
    /// There are so many more tasks.
    fn ring(&self, tasks: usize);

    /// Something else has changed, for all of them.
    fn ring_for_all(&self) {
        self.ring(usize::MAX);
    }
}

impl Phase {
    /// The name that Python prints.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Running => "RUN",
            Self::Closed => "CLOSE",
            Self::Terminated => "TERMINATE",
        }
    }
}

impl<J> State<J> {
    /// Whether there is nothing to do and never will be.
    pub(super) fn is_over(&self) -> bool {
        match self.phase {
            Phase::Running => false,
            Phase::Closed => self.pending.is_empty() && self.calls == 0,
            Phase::Terminated => true,
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }
}

impl<J, B: Bell> Desk<J, B> {
    pub(super) fn new(bell: B) -> Arc<Self> {
        let state = State {
            pending: VecDeque::new(),
            phase: Phase::Running,
            calls: 0,
            broken: None,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            bell,
        })
    }

    /// Lets a call bring tasks, also when the pool is closed meanwhile.
    pub(super) fn admit(self: &Arc<Self>) -> Result<Admission<J, B>, JobError> {
        let mut state = self.state.lock();
        if state.phase != Phase::Running {
            return Err(JobError::NotRunning);
        }
        state.calls += 1;
        Ok(Admission(self.clone()))
    }

    /// Goes on to a later phase. Tasks that wait when the pool is terminated fail.
    pub(super) fn enter(&self, phase: Phase) {
        let mut state = self.state.lock();
        state.phase = state.phase.max(phase);
        let dropped = match state.phase {
            Phase::Terminated => std::mem::take(&mut state.pending),
            _ => VecDeque::new(),
        };
        drop(state);
        self.bell.ring_for_all();
        fail(dropped, &JobError::Terminated);
    }

    pub(super) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    /// Takes tasks back that nobody has begun: they go first.
    pub(super) fn put_back(&self, tasks: impl DoubleEndedIterator<Item = Task<J>>) {
        let mut state = self.state.lock();
        for task in tasks.rev() {
            state.pending.push_front(task);
        }
        let refused = match (&state.broken, state.phase) {
            (Some(failure), _) => JobError::Broken(failure.clone()),
            (None, Phase::Terminated) => JobError::Terminated,
            _ => return,
        };
        let dropped = std::mem::take(&mut state.pending);
        drop(state);
        fail(dropped, &refused);
    }

    /// Fails every task there is and every one to come.
    pub(super) fn break_down(&self, failure: Failure) {
        let mut state = self.state.lock();
        let dropped = std::mem::take(&mut state.pending);
        state.broken = Some(failure.clone());
        drop(state);
        fail(dropped, &JobError::Broken(failure));
    }
}

fn fail<J>(tasks: VecDeque<Task<J>>, error: &JobError) {
    tasks.into_iter().for_each(|task| task.fail(error.clone()));
}

/// The right of one call to bring tasks; a closed pool waits for its end.
pub(super) struct Admission<J, B: Bell>(Arc<Desk<J, B>>);

impl<J, B: Bell> Admission<J, B> {
    /// Has workers do the tasks.
    pub(super) fn submit(&self, tasks: Vec<Task<J>>) -> Result<(), JobError> {
        let mut state = self.0.state.lock();
        if let Some(failure) = &state.broken {
            return Err(JobError::Broken(failure.clone()));
        }
        if state.phase == Phase::Terminated {
            return Err(JobError::Terminated);
        }
        let count = tasks.len();
        state.pending.extend(tasks);
        drop(state);
        self.0.bell.ring(count);
        Ok(())
    }
}

impl<J, B: Bell> Drop for Admission<J, B> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.calls -= 1;
        let over = state.is_over();
        drop(state);
        if over {
            self.0.bell.ring_for_all();
        }
    }
}
