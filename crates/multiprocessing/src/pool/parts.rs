//! What becomes of the parts of a job.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use hilos_core::time::Deadline;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::error::JobError;
use super::results::Results;
use super::task::Sink;

/// The results of the parts of a job, as they come in.
pub(super) struct Parts {
    state: Mutex<State>,
    done: Condvar,
}

struct State {
    parts: Vec<Option<Part>>,
    missing: usize,
    /// Whether a part failed, or what was made of them.
    failed: bool,
    /// Whether no part is missing and those who wanted to be called have been.
    done: bool,
    callbacks: VecDeque<Callback>,
    /// `None` before the last part is there, and when it has been taken.
    outcome: Option<Outcome>,
}

pub(super) type Part = Result<Results, JobError>;

/// What all parts come to.
pub(super) enum Outcome {
    /// The results as they came in.
    Parts(Vec<Option<Part>>),
    /// What a callback has made of them: the job's own type of result.
    Whole(Result<Box<dyn Any + Send>, JobError>),
}

/// Looks at an outcome, and hands it on. It must not panic.
pub(super) type Callback = Box<dyn FnOnce(Outcome) -> Outcome + Send>;

impl Parts {
    pub(super) fn new(count: usize) -> Arc<Self> {
        let state = State {
            parts: (0..count).map(|_| None).collect(),
            missing: count,
            failed: false,
            done: count == 0,
            callbacks: VecDeque::new(),
            outcome: (count == 0).then(|| Outcome::Parts(Vec::new())),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            done: Condvar::new(),
        })
    }

    pub(super) fn wait(&self, deadline: Deadline) -> bool {
        let mut state = self.state.lock();
        while !state.done {
            match deadline.instant() {
                None => self.done.wait(&mut state),
                Some(moment) => {
                    if self.done.wait_until(&mut state, moment).timed_out() {
                        return state.done;
                    }
                }
            }
        }
        true
    }

    pub(super) fn ready(&self) -> bool {
        self.state.lock().done
    }

    pub(super) fn failed(&self) -> bool {
        self.state.lock().failed
    }

    /// Takes what all parts come to; `None` if it was taken before.
    pub(super) fn take(&self) -> Option<Outcome> {
        self.state.lock().outcome.take()
    }

    /// Calls when all parts are there, before those who wait for them go on; now if they are there.
    pub(super) fn call_back(&self, callback: Callback) {
        let mut state = self.state.lock();
        match state.done {
            true => call(&mut state, callback),
            false => state.callbacks.push_back(callback),
        }
    }
}

impl Sink for Parts {
    fn deliver(&self, part: usize, result: Part) {
        let mut state = self.state.lock();
        state.failed |= result.is_err();
        state.parts[part] = Some(result);
        state.missing -= 1;
        if state.missing > 0 {
            return;
        }
        state.outcome = Some(Outcome::Parts(std::mem::take(&mut state.parts)));
        // More may come while one is called.
        while let Some(callback) = state.callbacks.pop_front() {
            call(&mut state, callback);
        }
        state.done = true;
        self.done.notify_all();
    }
}

/// Calls back without the lock, unless the outcome has been taken.
fn call(state: &mut MutexGuard<'_, State>, callback: Callback) {
    let Some(outcome) = state.outcome.take() else {
        return;
    };
    let outcome = MutexGuard::unlocked(state, || callback(outcome));
    state.failed |= matches!(outcome, Outcome::Whole(Err(_)));
    state.outcome = Some(outcome);
}
