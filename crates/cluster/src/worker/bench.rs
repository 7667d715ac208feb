//! What lies before a worker: tasks that wait, that run, and that are done.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use hilos_multiprocessing::Process;
use parking_lot::{Condvar, Mutex};

use super::builder::Settings;
use crate::engine::{Completion, Delivery, Lease};
use crate::message::{Outcome, Setback, pack};

/// Short tasks are fetched ahead for about this long.
const AHEAD: Duration = Duration::from_millis(10);

/// A task that has waited so long behind others goes back to the queue.
const STUCK: Duration = Duration::from_millis(200);

pub(super) struct Bench {
    state: Mutex<State>,
    /// For slots: there is a task, or an end.
    tasks: Condvar,
    /// For the taker: there is room.
    room: Condvar,
    /// For the clerk: there is an outcome.
    outcomes: Condvar,
    slots: usize,
    prefetch: usize,
}

struct State {
    waiting: VecDeque<(Instant, Delivery)>,
    /// Each task that this worker has, by its id.
    held: HashMap<String, Held>,
    /// Outcomes that are not answered yet, each with its client.
    done: Vec<(String, Completion)>,
    running: usize,
    /// How long a task takes, of late.
    pace: Duration,
    phase: Phase,
    /// Why the worker cannot go on.
    broken: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Working,
    /// Finishes what runs.
    Closing,
    /// Kills what runs.
    Killing,
    Ended,
}

struct Held {
    client: String,
    /// What runs it, if something does.
    process: Option<Process>,
    deadline: Option<Instant>,
    killed: Option<Killed>,
}

impl Held {
    fn new(delivery: &Delivery) -> Self {
        Self {
            client: delivery.client.clone(),
            process: None,
            deadline: None,
            killed: None,
        }
    }
}

impl State {
    /// Lets go of a task, killing the process that runs it.
    fn lose(&mut self, id: &str) {
        self.waiting.retain(|(_, delivery)| delivery.id != *id);
        match self.held.get_mut(id) {
            Some(Held {
                process: Some(process),
                killed,
                ..
            }) => {
                killed.get_or_insert(Killed::Disowned);
                let _ = process.kill();
            }
            // It is done and not answered: the first outcome counts, so it may yet be this one.
            _ if self.done.iter().any(|(_, done)| done.id == *id) => {}
            // Should it be about to begin, `begin` finds it gone.
            _ => {
                self.held.remove(id);
            }
        }
    }
}

/// What a task's client and the counts are told.
fn completion(delivery: Delivery, outcome: Outcome) -> Completion {
    let kind = match &outcome {
        Ok(_) => "done",
        Err(Setback::Lost(_)) => "lost",
        Err(_) => "failed",
    };
    Completion {
        id: delivery.id,
        number: delivery.number,
        outcome: pack(outcome),
        kind,
    }
}

/// Why a task's process was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Killed {
    TimedOut,
    /// It is no longer this worker's.
    Disowned,
}

impl Bench {
    pub(super) fn new(settings: &Settings) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            held: HashMap::new(),
            done: Vec::new(),
            running: 0,
            pace: Duration::MAX,
            phase: Phase::Working,
            broken: None,
        };
        Self {
            state: Mutex::new(state),
            tasks: Condvar::new(),
            room: Condvar::new(),
            outcomes: Condvar::new(),
            slots: settings.slots,
            prefetch: settings.prefetch,
        }
    }

    /// How many tasks there is room for: one at each slot, and some ahead if they are short.
    fn capacity(&self, state: &State) -> usize {
        let ahead = AHEAD.as_nanos() / state.pace.as_nanos().max(1);
        let ahead = usize::try_from(ahead)
            .unwrap_or(self.prefetch)
            .min(self.prefetch);
        self.slots * (1 + ahead)
    }

    /// Whether so much is done and not answered that there should not be more: it would be done again
    /// if this worker died.
    fn is_behind(&self, state: &State) -> bool {
        let unfinished = state.waiting.len() + state.running;
        state.held.len().saturating_sub(unfinished) > self.slots * (1 + self.prefetch)
    }

    /// Waits until there is room worth a call of the server; 0 at the end.
    pub(super) fn wait_for_room(&self) -> usize {
        let mut state = self.state.lock();
        while state.phase == Phase::Working {
            let (capacity, used) = (self.capacity(&state), state.waiting.len() + state.running);
            // Half of it, so that many short tasks come at a time; but no slot waits.
            if !self.is_behind(&state) && (used < self.slots || used * 2 <= capacity) {
                return capacity - used;
            }
            self.room.wait(&mut state);
        }
        0
    }

    /// Lays tasks before the slots.
    pub(super) fn add(&self, deliveries: Vec<Delivery>) {
        if deliveries.is_empty() {
            return;
        }
        let (mut state, now) = (self.state.lock(), Instant::now());
        for delivery in deliveries {
            // One that was claimed from this very worker lies here already.
            if state.held.contains_key(&delivery.id) {
                continue;
            }
            state.held.insert(delivery.id.clone(), Held::new(&delivery));
            state.waiting.push_back((now, delivery));
            self.tasks.notify_one();
        }
    }

    /// A task for a slot, as soon as there is one; none at the end.
    pub(super) fn next(&self) -> Option<Delivery> {
        let mut state = self.state.lock();
        loop {
            if state.phase == Phase::Working
                && let Some((_, delivery)) = state.waiting.pop_front()
            {
                state.running += 1;
                return Some(delivery);
            }
            if state.phase >= Phase::Closing {
                return None;
            }
            self.tasks.wait(&mut state);
        }
    }

    /// Notes which process runs a task; `false` if it should not, because the task is lost.
    pub(super) fn begin(&self, delivery: &Delivery, process: &Process) -> bool {
        let mut state = self.state.lock();
        if state.phase >= Phase::Killing {
            return false;
        }
        let Some(held) = state.held.get_mut(&delivery.id) else {
            return false;
        };
        held.process = Some(process.clone());
        held.deadline = delivery
            .limit
            .and_then(|limit| Instant::now().checked_add(limit));
        if held.deadline.is_some() {
            self.outcomes.notify_one();
        }
        true
    }

    /// Notes that no process runs a task any more; says whether the process was killed, and why.
    /// From here on it is not.
    pub(super) fn stop(&self, delivery: &Delivery) -> Option<Killed> {
        let mut state = self.state.lock();
        match state.held.get_mut(&delivery.id) {
            Some(held) => {
                held.process = None;
                held.killed.take()
            }
            None => Some(Killed::Disowned),
        }
    }

    /// Lays down what became of a task; with nothing, its slot is free all the same.
    pub(super) fn finish(&self, delivery: Delivery, outcome: Option<Outcome>, took: Duration) {
        let mut state = self.state.lock();
        state.running -= 1;
        state.pace = match state.pace {
            Duration::MAX => took,
            pace => (pace * 7 + took) / 8,
        };
        match outcome {
            Some(outcome) => {
                let client = delivery.client.clone();
                state.done.push((client, completion(delivery, outcome)));
                self.outcomes.notify_one();
            }
            None => {
                state.held.remove(&delivery.id);
            }
        }
        self.room.notify_one();
    }

    /// Waits for outcomes, until a moment or the next time limit; returns those there are.
    pub(super) fn wait_for_outcomes(&self, until: Instant) -> Vec<(String, Completion)> {
        let mut state = self.state.lock();
        if state.done.is_empty() && state.phase < Phase::Killing {
            let deadlines = state.held.values().filter(|held| held.process.is_some());
            let until = deadlines
                .filter_map(|held| held.deadline)
                .fold(until, Instant::min);
            self.outcomes.wait_until(&mut state, until);
        }
        std::mem::take(&mut state.done)
    }

    /// Lays outcomes down again that could not be answered.
    pub(super) fn put_back(&self, outcomes: Vec<(String, Completion)>) {
        self.state.lock().done.extend(outcomes);
    }

    /// Forgets tasks that are answered.
    pub(super) fn forget<'a>(&self, ids: impl Iterator<Item = &'a str>) {
        let mut state = self.state.lock();
        for id in ids {
            state.held.remove(id);
        }
        self.room.notify_one();
    }

    /// Everything that this worker has, with its client.
    pub(super) fn held(&self) -> Vec<(String, String)> {
        let state = self.state.lock();
        let pair = |(id, held): (&String, &Held)| (id.clone(), held.client.clone());
        state.held.iter().map(pair).collect()
    }

    /// Lets go of what is no longer this worker's, killing the processes that run it.
    pub(super) fn note_leases(&self, held: &[(String, String)], leases: &[Lease]) {
        let mut state = self.state.lock();
        let lost = held
            .iter()
            .zip(leases)
            .filter(|(_, lease)| **lease != Lease::Held);
        for ((id, _), lease) in lost {
            tracing::debug!(id, ?lease, "a task is no longer this worker's");
            state.lose(id);
        }
        self.room.notify_one();
    }

    /// Kills the processes whose time is up.
    pub(super) fn enforce_limits(&self) {
        let (mut state, now) = (self.state.lock(), Instant::now());
        let killing = state.phase >= Phase::Killing;
        for held in state.held.values_mut() {
            let Some(process) = &held.process else {
                continue;
            };
            if killing {
                held.killed.get_or_insert(Killed::Disowned);
            } else if held.killed.is_none() && held.deadline.is_some_and(|end| end <= now) {
                held.killed = Some(Killed::TimedOut);
            } else {
                continue;
            }
            let _ = process.kill();
        }
    }

    /// Takes tasks away that should not wait here: those behind a long one, or all at the end.
    pub(super) fn take_stuck(&self) -> Vec<(String, String)> {
        let mut state = self.state.lock();
        let all = state.phase >= Phase::Closing;
        let busy = state.running >= self.slots;
        let stuck = |since: Instant| all || busy && since.elapsed() > STUCK;
        let mut taken = Vec::new();
        let waiting = std::mem::take(&mut state.waiting);
        for (since, delivery) in waiting {
            if stuck(since) {
                state.held.remove(&delivery.id);
                taken.push((delivery.id, delivery.client));
            } else {
                state.waiting.push_back((since, delivery));
            }
        }
        if !taken.is_empty() {
            // What runs takes so long at least: the next ones are not fetched ahead.
            state.pace = state.pace.max(STUCK);
        }
        taken
    }

    pub(super) fn busy(&self) -> usize {
        self.state.lock().running
    }

    /// Begins the end; the second time, kills what runs.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.phase = match state.phase {
            Phase::Working => Phase::Closing,
            Phase::Closing => Phase::Killing,
            phase => phase,
        };
        self.wake_all();
    }

    /// Begins the end because of a failure.
    pub(super) fn break_down(&self, reason: String) {
        let mut state = self.state.lock();
        state.broken.get_or_insert(reason);
        state.phase = state.phase.max(Phase::Closing);
        self.wake_all();
    }

    pub(super) fn end(&self) {
        self.state.lock().phase = Phase::Ended;
        self.wake_all();
    }

    fn wake_all(&self) {
        self.tasks.notify_all();
        self.room.notify_all();
        self.outcomes.notify_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state.lock().phase >= Phase::Closing
    }

    /// Whether the worker is to end and nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        let state = self.state.lock();
        state.phase >= Phase::Closing && state.running == 0 && state.done.is_empty()
    }

    pub(super) fn broken(&self) -> Option<String> {
        self.state.lock().broken.clone()
    }
}
