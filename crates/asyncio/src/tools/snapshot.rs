//! What the loops of this process say of their tasks.

use std::collections::HashSet;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::any_future::AnyRc;
use crate::awaited_by::{Awaiters, id};
use crate::graph::{FrameCallGraphEntry, call_stack};
use crate::running;
use crate::threadsafe::Injected;
use crate::tools::loops::{self, Loop};
use crate::watch::Step;

/// How long the loops have to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A loop, and what it has said.
pub(super) struct LoopSeen {
    pub(super) tid: u64,
    pub(super) answer: Answer,
}

pub(super) enum Answer {
    /// All its tasks.
    Tasks(Vec<TaskSeen>),
    /// None in time; the step that it is in, if it is a task's.
    Busy(Option<Step>),
}

/// A task, as another thread may see it.
pub(super) struct TaskSeen {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) stack: Vec<FrameCallGraphEntry>,
    /// The tasks that await it.
    pub(super) awaited_by: Vec<usize>,
}

/// Asks all loops, which answer side by side.
pub(super) fn take() -> Vec<LoopSeen> {
    let deadline = Instant::now() + PATIENCE;
    let asked: Vec<_> = loops::all().into_iter().map(Asked::new).collect();
    asked
        .into_iter()
        .map(|asked| asked.answer(deadline))
        .collect()
}

/// A question to a loop.
struct Asked {
    whom: Loop,
    answer: Receiver<Vec<TaskSeen>>,
    /// While it lives, somebody waits for the answer.
    _waiting: Arc<()>,
}

impl Asked {
    fn new(whom: Loop) -> Self {
        let (sender, answer) = mpsc::channel();
        let waiting = Arc::new(());
        let asking = Arc::downgrade(&waiting);
        let say = move || {
            if Weak::strong_count(&asking) > 0 {
                // Who has asked may have just given up.
                let _ = sender.send(tasks_of_running_loop());
            }
        };
        whom.shared.inbox.send(Injected::Call(Box::new(say)));
        let _waiting = waiting;
        Self {
            whom,
            answer,
            _waiting,
        }
    }

    fn answer(self, deadline: Instant) -> LoopSeen {
        let left = deadline.saturating_duration_since(Instant::now());
        let answer = match self.answer.recv_timeout(left) {
            Ok(tasks) => Answer::Tasks(tasks),
            Err(mpsc::RecvTimeoutError::Timeout) => Answer::Busy(self.whom.shared.watch.step()),
            // The loop was closed.
            Err(mpsc::RecvTimeoutError::Disconnected) => Answer::Tasks(Vec::new()),
        };
        LoopSeen {
            tid: self.whom.tid,
            answer,
        }
    }
}

fn tasks_of_running_loop() -> Vec<TaskSeen> {
    let Some(event_loop) = running::get() else {
        return Vec::new();
    };
    let awaiters = Awaiters::of(&event_loop);
    let tasks = event_loop.0.tasks.borrow().tasks();
    tasks
        .iter()
        .filter_map(|task| see(task, &awaiters))
        .collect()
}

fn see(task: &AnyRc, awaiters: &Awaiters) -> Option<TaskSeen> {
    Some(TaskSeen {
        id: id(task).addr(),
        name: task.task()?.name(),
        stack: call_stack(task),
        awaited_by: awaiting_tasks(task, awaiters),
    })
}

/// The tasks that await `task`, also through futures that the program has named.
fn awaiting_tasks(task: &AnyRc, awaiters: &Awaiters) -> Vec<usize> {
    let mut tasks = Vec::new();
    let mut seen = HashSet::new();
    let mut todo = awaiters.of_future(task);
    while let Some(waiter) = todo.pop() {
        if !seen.insert(id(&waiter)) {
            continue;
        }
        match waiter.task() {
            Some(_) => tasks.push(id(&waiter).addr()),
            None => todo.extend(awaiters.of_future(&waiter)),
        }
    }
    tasks.reverse();
    tasks
}
