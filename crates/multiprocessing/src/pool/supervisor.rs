//! The thread that hands out a pool's tasks and collects their results.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hilos_core::time::Deadline;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::builder::Settings;
use super::desk::{Bell, Desk, Phase, State};
use super::error::JobError;
use super::request::Request;
use super::results::Results;
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

/// What waits for processes.
pub(super) type ProcessDesk = Desk<Request, Alarm>;
type Task = super::task::Task<Request>;

/// Wakes the supervisor.
pub(super) struct Alarm {
    event: EventFd,
    /// Whether the supervisor sleeps until it is woken or a worker says something.
    asleep: AtomicBool,
}

impl Alarm {
    pub(super) fn new() -> Result<Self, Error> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            event: EventFd::from_flags(flags)?,
            asleep: AtomicBool::new(false),
        })
    }
}

impl Bell for Alarm {
    fn ring(&self, _tasks: usize) {
        if self.asleep.swap(false, Ordering::Relaxed) {
            let _ = self.event.write(1);
        }
    }
}

/// The supervisor's own.
pub(super) struct Supervisor {
    desk: Arc<ProcessDesk>,
    settings: Settings,
    workers: Vec<Worker>,
    /// How many workers in a row have died before they were ready.
    stillborn: usize,
}

impl Supervisor {
    /// Starts the workers.
    pub(super) fn new(desk: Arc<ProcessDesk>, settings: Settings) -> Result<Self, Error> {
        let mut supervisor = Self {
            desk,
            settings,
            workers: Vec::new(),
            stillborn: 0,
        };
        for _ in 0..supervisor.settings.processes {
            if let Err(error) = supervisor.hire() {
                supervisor.desk.enter(Phase::Terminated);
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
            if self.is_finished(&self.desk.state.lock()) {
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
        let mut refused = Vec::new();
        let mut state = self.desk.state.lock();
        let share = state.pending.len().div_ceil(self.workers.len().max(1));
        for ahead in [false, true] {
            for worker in &mut self.workers {
                for _ in 0..worker.room(ahead).min(share) {
                    let next = state.pending.pop_front_if(|task| worker.takes(task));
                    let Some(task) = next else { break };
                    refused.extend(worker.give(task).err());
                }
            }
        }
        drop(state);
        for (error, task) in refused.into_iter().map(|refused| *refused) {
            task.fail(error.into());
        }
        for worker in &mut self.workers {
            worker.drop_contexts();
            // A worker that has just died is noticed when it is listened to.
            let _ = worker.flush();
        }
    }

    fn is_finished(&self, state: &State<Request>) -> bool {
        let idle = || self.workers.iter().all(Worker::is_idle);
        state.is_over() && (state.phase == Phase::Terminated || idle())
    }

    /// Sleeps until a worker says something, or can be told something, or time is up.
    fn sleep(&mut self) {
        if !self.workers.is_empty() && self.workers.iter().all(Worker::is_provided_for) {
            // To be woken for each result would take longer than the tasks.
            return std::thread::sleep(NAP);
        }
        if self.falls_asleep() {
            self.wait_for_news();
        }
    }

    /// Whether there is nothing to do; who brings something from now on rings the bell.
    fn falls_asleep(&self) -> bool {
        let state = self.desk.state.lock();
        let has_room = || self.workers.iter().any(|worker| worker.room(false) > 0);
        let to_do = !state.pending.is_empty() && has_room();
        let asleep = !to_do && !self.is_finished(&state);
        if asleep {
            self.desk.bell.asleep.store(true, Ordering::Relaxed);
        }
        asleep
    }

    /// Waits for the bell and the workers, and wakes up.
    fn wait_for_news(&self) {
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
        let wake: BorrowedFd<'_> = self.desk.bell.event.as_fd();
        let mut polled = vec![PollFd::new(wake, PollFlags::POLLIN)];
        polled.extend(
            watched
                .iter()
                .map(|(fd, flags)| PollFd::new(fd.as_fd(), *flags)),
        );
        let deadline = self.next_deadline();
        while poll(&mut polled, poll_timeout(deadline)) == Err(Errno::EINTR) {}
        self.desk.bell.asleep.store(false, Ordering::Relaxed);
        let _ = self.desk.bell.event.read();
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
        self.desk.put_back(tasks.into_iter());
    }

    /// Takes in what the workers say, and replaces those that have died or have done their share.
    fn collect(&mut self) {
        let (desk, stillborn) = (&self.desk, &mut self.stillborn);
        let gone = self.workers.extract_if(.., |worker| {
            // What it has said counts, also if it is dead by now.
            let alive = listen(worker, desk, stillborn) && worker.flush().is_ok();
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
        listen(&mut worker, &self.desk, &mut self.stillborn);
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
        self.desk.put_back(rest.into_iter());
    }

    /// Starts workers in the place of those that are gone.
    fn refill(&mut self) {
        let (phase, broken) = {
            let state = self.desk.state.lock();
            (state.phase, state.is_broken())
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
                    self.desk.break_down(Failure::new("OSError", error));
                }
                return;
            }
        }
    }

    /// Ends the workers: those of a closed pool have nothing to do, those of another are killed.
    fn dismiss(mut self) {
        let terminated = self.desk.phase() == Phase::Terminated;
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
fn listen(worker: &mut Worker, desk: &ProcessDesk, stillborn: &mut usize) -> bool {
    let mut done = 0;
    let alive = loop {
        match worker.news() {
            Ok(None) => break true,
            Ok(Some(News::Ready)) => *stillborn = 0,
            Ok(Some(News::Broken(failure))) => desk.break_down(failure),
            Ok(Some(News::Done(task, result))) => {
                done += 1;
                task.sink.deliver(task.part, result.map(Results::Encoded));
            }
            Err(_) => break false,
        }
    };
    worker.note_pace(done);
    alive
}
