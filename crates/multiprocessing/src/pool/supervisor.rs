//! The thread that hands out a pool's tasks and collects their results.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos_core::time::Deadline;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use parking_lot::Mutex;

use super::builder::Settings;
use super::error::JobError;
use super::task::Task;
use super::worker::work;
use super::workers::{News, Worker};
use crate::connection::pipe;
use crate::error::Error;
use crate::failure::Failure;
use crate::process::Process;
use crate::sys::claims::Claims;
use crate::sys::pidfd::poll_timeout;

/// How long a worker that has been asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// How often the results of short tasks are collected.
const NAP: Duration = Duration::from_micros(50);

/// What the pool's users and its supervisor share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Written to when the supervisor sleeps and there is something new.
    wake: EventFd,
}

#[derive(Default)]
struct State {
    pending: VecDeque<Task>,
    phase: Phase,
    /// Whether the supervisor waits for its workers, and has to be woken.
    asleep: bool,
    broken: Option<Failure>,
}

/// What the pool does with jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Takes them.
    #[default]
    Running,
    /// Does those it has.
    Closed,
    /// Drops them.
    Terminated,
}

impl Shared {
    pub(super) fn new() -> Result<Self, Error> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            state: Mutex::default(),
            wake: EventFd::from_flags(flags)?,
        })
    }

    /// Has workers do the tasks.
    pub(super) fn submit(&self, tasks: impl IntoIterator<Item = Task>) -> Result<(), JobError> {
        let mut state = self.state.lock();
        if let Some(failure) = &state.broken {
            return Err(JobError::Broken(failure.clone()));
        }
        if state.phase != Phase::Running {
            return Err(JobError::NotRunning);
        }
        state.pending.extend(tasks);
        self.wake_up(&mut state);
        Ok(())
    }

    /// Goes on to a later phase.
    pub(super) fn enter(&self, phase: Phase) {
        let mut state = self.state.lock();
        state.phase = state.phase.max(phase);
        self.wake_up(&mut state);
    }

    pub(super) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    fn wake_up(&self, state: &mut State) {
        if std::mem::take(&mut state.asleep) {
            let _ = self.wake.write(1);
        }
    }
}

/// The supervisor's own.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    settings: Settings,
    workers: Vec<Worker>,
    /// How many workers in a row have died before they were ready.
    stillborn: usize,
}

impl Supervisor {
    /// Starts the workers.
    pub(super) fn new(shared: Arc<Shared>, settings: Settings) -> Result<Self, Error> {
        let mut supervisor = Self {
            shared,
            settings,
            workers: Vec::new(),
            stillborn: 0,
        };
        for _ in 0..supervisor.settings.processes {
            if let Err(error) = supervisor.hire() {
                supervisor.shared.enter(Phase::Terminated);
                supervisor.dismiss();
                return Err(error);
            }
        }
        Ok(supervisor)
    }

    /// Runs until the pool is closed and has done its work, or is terminated.
    pub(super) fn run(mut self) {
        loop {
            self.dispatch();
            if self.is_finished() {
                return self.dismiss();
            }
            self.sleep();
            self.collect();
            self.enforce_limits();
            self.redistribute();
        }
    }

    fn hire(&mut self) -> Result<(), Error> {
        let (ours, theirs) = pipe(true)?;
        let name = format!("PoolWorker-{}", crate::pool::builder::next_worker());
        let (claims, fd) = Claims::new()?;
        let mut process = Process::new(work, (theirs.clone(), self.settings.orders(fd)?))
            .with_name(name)
            .with_daemon(true);
        if let Some(method) = self.settings.start_method {
            process = process.with_start_method(method);
        }
        process.start()?;
        theirs.close();
        self.workers.push(Worker::new(
            process,
            ours,
            claims,
            self.settings.max_tasks_per_child,
        ));
        Ok(())
    }

    /// Gives tasks to the workers: first to those that have none, then ahead to quick ones.
    fn dispatch(&mut self) {
        let mut state = self.shared.state.lock();
        if state.phase == Phase::Terminated {
            let dropped = std::mem::take(&mut state.pending);
            drop(state);
            return dropped
                .into_iter()
                .for_each(|task| task.fail(JobError::Terminated));
        }
        let share = state.pending.len().div_ceil(self.workers.len().max(1));
        for ahead in [false, true] {
            for worker in &mut self.workers {
                for _ in 0..worker.room(ahead).min(share) {
                    let next = state.pending.pop_front_if(|task| worker.takes(task));
                    let Some(task) = next else { break };
                    if let Err(refused) = worker.give(task) {
                        let (error, task) = *refused;
                        task.fail(error.into());
                    }
                }
            }
        }
        drop(state);
        for worker in &mut self.workers {
            // A worker that has just died is noticed when it is listened to.
            let _ = worker.flush();
        }
    }

    fn is_finished(&self) -> bool {
        let state = self.shared.state.lock();
        match state.phase {
            Phase::Running => false,
            Phase::Closed => state.pending.is_empty() && self.workers.iter().all(Worker::is_idle),
            Phase::Terminated => true,
        }
    }

    /// Sleeps until a worker says something, or can be told something, or time is up.
    fn sleep(&mut self) {
        if !self.workers.is_empty() && self.workers.iter().all(Worker::is_provided_for) {
            // To be woken for each result would take longer than the tasks.
            return std::thread::sleep(NAP);
        }
        {
            let mut state = self.shared.state.lock();
            let to_do = !state.pending.is_empty()
                && self.workers.iter().any(|worker| worker.room(false) > 0);
            if to_do || state.phase == Phase::Terminated {
                return;
            }
            state.asleep = true;
        }
        let fds: Vec<_> = self
            .workers
            .iter()
            .filter_map(|worker| worker.connection.fd().ok())
            .collect();
        let interest = |worker: &Worker| match worker.wants_to_send() {
            true => PollFlags::POLLIN | PollFlags::POLLOUT,
            false => PollFlags::POLLIN,
        };
        let watch = |(fd, worker): (&Arc<OwnedFd>, &Worker)| (fd.clone(), interest(worker));
        let watched: Vec<_> = fds.iter().zip(&self.workers).map(watch).collect();
        let wake: BorrowedFd<'_> = self.shared.wake.as_fd();
        let mut polled = vec![PollFd::new(wake, PollFlags::POLLIN)];
        polled.extend(
            watched
                .iter()
                .map(|(fd, flags)| PollFd::new(fd.as_fd(), *flags)),
        );
        let deadline = self.next_deadline();
        while poll(&mut polled, poll_timeout(deadline)) == Err(Errno::EINTR) {}
        self.shared.state.lock().asleep = false;
        let _ = self.shared.wake.read();
    }

    /// When a task will have taken too long, or others will have waited too long for it.
    fn next_deadline(&self) -> Deadline {
        let workers = self.workers.iter();
        let limits = workers.clone().filter_map(Worker::limit);
        let idle = workers.clone().any(|worker| worker.room(false) > 0);
        let stuck = workers.filter_map(Worker::stuck).filter(|_| idle);
        limits
            .chain(stuck)
            .min()
            .map_or(Deadline::NEVER, Deadline::at)
    }

    /// Gives what is stuck behind a long task to a worker that has nothing to do.
    fn redistribute(&mut self) {
        let now = Instant::now();
        if !self.workers.iter().any(|worker| worker.room(false) > 0) {
            return;
        }
        let stuck = |worker: &&mut Worker| worker.stuck().is_some_and(|since| since <= now);
        let tasks: VecDeque<Task> = self
            .workers
            .iter_mut()
            .filter(stuck)
            .flat_map(Worker::take_back)
            .collect();
        self.put_back(tasks);
    }

    /// Takes in what the workers say, and replaces those that have died or have done their share.
    fn collect(&mut self) {
        let (shared, stillborn) = (&self.shared, &mut self.stillborn);
        let gone = self.workers.extract_if(.., |worker| {
            // What it has said counts, also if it is dead by now.
            let alive = listen(worker, shared, stillborn) && worker.flush().is_ok();
            let done_its_share = worker.left == Some(0) && worker.is_idle();
            !alive || done_its_share
        });
        for worker in gone.collect::<Vec<_>>() {
            self.bury(worker, false);
        }
        self.refill();
    }

    /// Kills the workers whose task takes too long; each one's task is told so.
    fn enforce_limits(&mut self) {
        let now = Instant::now();
        let late = |worker: &mut Worker| worker.limit().is_some_and(|limit| limit <= now);
        for worker in self.workers.extract_if(.., late).collect::<Vec<_>>() {
            let _ = worker.process.kill();
            self.bury(worker, true);
        }
        self.refill();
    }

    /// Sees a worker off that has ended or is to end, and tells the one whose task it was at.
    fn bury(&mut self, mut worker: Worker, timed_out: bool) {
        worker.hang_up();
        let _ = worker.process.join(GRACE.as_secs_f64());
        if worker.process.is_alive() {
            let _ = worker.process.kill();
            let _ = worker.process.join(None);
        }
        listen(&mut worker, &self.shared, &mut self.stillborn);
        self.stillborn += usize::from(!worker.ready);
        let (current, rest) = worker.take_tasks();
        if timed_out {
            let late = current.into_iter().chain(rest);
            return late.for_each(|task| task.fail(JobError::TimedOut));
        }
        if let Some(task) = current {
            let error = worker.lost(&task);
            task.fail(error);
        }
        self.put_back(rest);
    }

    /// Tasks that nobody has begun go first.
    fn put_back(&self, tasks: VecDeque<Task>) {
        let mut state = self.shared.state.lock();
        for task in tasks.into_iter().rev() {
            state.pending.push_front(task);
        }
    }

    /// Starts workers in the place of those that are gone.
    fn refill(&mut self) {
        let (phase, broken) = {
            let state = self.shared.state.lock();
            (state.phase, state.broken.is_some())
        };
        if broken || phase == Phase::Terminated {
            return;
        }
        while self.workers.len() < self.settings.processes {
            let failed = match self.stillborn > 2 * self.settings.processes {
                true => Err(Error::os("the workers die before they are ready")),
                false => self.hire(),
            };
            if let Err(error) = failed {
                // With workers left the pool goes on, and tries again when the next one is gone.
                if self.workers.is_empty() {
                    fail_all(&self.shared, &Failure::new("OSError", error));
                }
                return;
            }
        }
    }

    /// Ends the workers: those of a closed pool have nothing to do, those of another are killed.
    fn dismiss(mut self) {
        let terminated = self.shared.phase() == Phase::Terminated;
        for worker in &mut self.workers {
            worker.hang_up();
            if terminated {
                let _ = worker.process.kill();
                let (current, rest) = worker.take_tasks();
                current
                    .into_iter()
                    .chain(rest)
                    .for_each(|task| task.fail(JobError::Terminated));
            }
        }
        for worker in std::mem::take(&mut self.workers) {
            self.bury(worker, false);
        }
    }
}

/// Takes in what one worker says; `false` if it is gone.
fn listen(worker: &mut Worker, shared: &Shared, stillborn: &mut usize) -> bool {
    let mut done = 0;
    let alive = loop {
        match worker.news() {
            Ok(None) => break true,
            Ok(Some(News::Ready)) => *stillborn = 0,
            Ok(Some(News::Broken(failure))) => fail_all(shared, &failure),
            Ok(Some(News::Done(task, result))) => {
                done += 1;
                task.sink.deliver(task.part, result);
            }
            Err(_) => break false,
        }
    };
    worker.note_pace(done);
    alive
}

/// Fails every job there is and every one to come.
fn fail_all(shared: &Shared, failure: &Failure) {
    let mut state = shared.state.lock();
    state.broken = Some(failure.clone());
    let pending = std::mem::take(&mut state.pending);
    drop(state);
    pending
        .into_iter()
        .for_each(|task| task.fail(JobError::Broken(failure.clone())));
}
