//! A worker of a pool of processes: a thread here, and the process that it has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hilos_multiprocessing::remote::{CallError, Job, Worker};
use hilos_multiprocessing::{Process, StartMethod};
use hilos_threading::Exception;
use serde::de::DeserializeOwned;

use super::remote::RemoteError;
use crate::error::{BrokenExecutor, BrokenProcessPool, Reason};
use crate::future::Future;
use crate::pool::Pool;
use crate::work::{Work, begins, cancel, fail};

/// What the workers of a pool of processes share.
#[derive(Default)]
pub(super) struct Staff {
    state: Mutex<State>,
    /// Whether the processes are copies of this one that were made already; locked meanwhile.
    forked: Mutex<bool>,
}

#[derive(Default)]
struct State {
    method: Option<StartMethod>,
    initializer: Option<Arc<Job<()>>>,
    max_tasks: Option<usize>,
    /// The processes that there are.
    processes: Vec<Process>,
    /// Those that wait for their thread.
    reserve: Vec<Worker>,
    /// Whether no process may live on.
    dismissed: bool,
}

/// Where a worker sits: the process that it has at the moment.
pub(super) struct Seat {
    staff: Arc<Staff>,
    worker: Option<Worker>,
    tasks: usize,
}

impl Staff {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn method(&self) -> StartMethod {
        let state = self.state();
        let default = hilos_multiprocessing::get_start_method;
        match (state.method, state.max_tasks) {
            (Some(method), _) => method,
            // A forked process cannot be replaced while threads run.
            (None, Some(_)) if default() == StartMethod::Fork => StartMethod::Spawn,
            (None, _) => default(),
        }
    }

    /// How processes are started, if that was said.
    pub(super) fn chosen(&self) -> Option<StartMethod> {
        self.state().method
    }

    pub(super) fn set_method(&self, method: StartMethod) {
        self.state().method = Some(method);
    }

    pub(super) fn set_initializer(&self, initializer: Job<()>) {
        self.state().initializer = Some(Arc::new(initializer));
    }

    pub(super) fn set_max_tasks(&self, tasks: usize) {
        self.state().max_tasks = Some(tasks);
    }

    pub(super) fn max_tasks(&self) -> Option<usize> {
        self.state().max_tasks
    }

    /// The processes that run.
    pub(super) fn processes(&self) -> Vec<Process> {
        let processes = self.state().processes.clone();
        processes.into_iter().filter(Process::is_alive).collect()
    }

    /// Makes copies of this process, once and before there are threads to copy.
    pub(super) fn fork(&self, count: usize) -> Result<(), hilos_multiprocessing::Error> {
        // Whoever else submits starts a thread only when all of them are there.
        let mut forked = self.forked.lock().unwrap_or_else(PoisonError::into_inner);
        if !*forked {
            let copies: Result<Vec<_>, _> = (0..count).map(|_| self.hire()).collect();
            self.state().reserve = copies?;
            *forked = true;
        }
        Ok(())
    }

    /// Has every process end, now and later, by `how`.
    pub(super) fn dismiss(&self, how: impl Fn(&Process)) {
        let mut state = self.state();
        state.dismissed = true;
        let processes = std::mem::take(&mut state.processes);
        drop(state);
        processes.iter().for_each(how);
    }

    /// Sends the processes home that nobody will need.
    pub(super) fn dismiss_reserve(&self) {
        let reserve = std::mem::take(&mut self.state().reserve);
        reserve.iter().for_each(Worker::stop);
    }

    fn hire(&self) -> Result<Worker, hilos_multiprocessing::Error> {
        let method = self.method();
        let initializer = self.state().initializer.clone();
        let worker = Worker::start(method, initializer.as_deref())?;
        let mut state = self.state();
        if state.dismissed {
            let _ = worker.process().kill();
        }
        state.processes.retain(Process::is_alive);
        state.processes.push(worker.process().clone());
        Ok(worker)
    }
}

impl Drop for Staff {
    fn drop(&mut self) {
        self.dismiss_reserve();
    }
}

impl Seat {
    pub(super) fn new(staff: Arc<Staff>) -> Self {
        let worker = staff.state().reserve.pop();
        Self {
            staff,
            worker,
            tasks: 0,
        }
    }

    /// Has the process do a job; one that died breaks the pool.
    fn call<R: DeserializeOwned>(&mut self, job: &Job<R>) -> Result<Vec<R>, Failed> {
        let fresh = self.worker.is_none() || self.tasks == 0;
        let worker = match &mut self.worker {
            Some(worker) => worker,
            none => none.insert(self.staff.hire().map_err(cannot_start)?),
        };
        if fresh {
            worker.ready().map_err(|error| not_ready(worker, error))?;
        }
        self.tasks += 1;
        worker.call(job).map_err(|error| match error {
            CallError::Failed(failure) => Failed::Call(RemoteError::exception(failure)),
            CallError::Lost => Failed::Pool(lost(worker)),
        })
    }

    /// Sends the process home if it has done as much as it may.
    fn rest(&mut self) {
        let enough = self.staff.max_tasks().is_some_and(|max| self.tasks >= max);
        if enough && let Some(worker) = self.worker.take() {
            worker.stop();
            self.tasks = 0;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop();
        }
    }
}

/// How a call failed: alone, or with the whole pool.
enum Failed {
    Call(Exception),
    Pool(Reason),
}

fn cannot_start(error: hilos_multiprocessing::Error) -> Failed {
    Failed::Pool(Reason::CannotStart(error.to_string()))
}

fn not_ready(worker: &Worker, error: CallError) -> Failed {
    Failed::Pool(match error {
        CallError::Failed(failure) => Reason::Initializer(failure.to_string()),
        CallError::Lost => lost(worker),
    })
}

fn lost(worker: &Worker) -> Reason {
    let process = worker.process();
    // It may have closed its end and run on, which is of no use either.
    let _ = process.kill();
    let _ = process.join(None);
    Reason::Terminated {
        pid: process.pid().unwrap_or(0),
        exitcode: process.exitcode().unwrap_or(-1),
    }
}

/// A call that travels, and the future of what it returns.
pub(super) struct RemoteCall<R, T> {
    pub(super) job: Job<R>,
    /// Makes the future's result of the calls' results.
    pub(super) take: fn(Vec<R>) -> Option<T>,
    pub(super) future: Future<T>,
}

impl<R, T> Work<Seat> for RemoteCall<R, T>
where
    R: DeserializeOwned + 'static,
    T: Send,
{
    fn run(self: Box<Self>, pool: &Pool<Seat>, seat: &mut Seat) {
        if !begins(&self.future) {
            return;
        }
        let Self { job, take, future } = *self;
        let outcome = match seat.call(&job) {
            Ok(results) => take(results).ok_or_else(nothing),
            Err(Failed::Call(exception)) => Err(exception),
            Err(Failed::Pool(reason)) => Err(break_down(pool, seat, reason)),
        };
        drop(job);
        // Before the future is done, so that whoever saw it sees the process gone.
        seat.rest();
        // If its holder has completed it meanwhile, the result is nobody's.
        let _ = future.finish(outcome);
    }

    fn cancel(self: Box<Self>) {
        cancel(&self.future);
    }

    fn fail(self: Box<Self>, exception: Exception) {
        fail(&self.future, exception);
    }
}

/// Ends the pool's other processes, and tells why.
fn break_down(pool: &Pool<Seat>, seat: &Seat, reason: Reason) -> Exception {
    let reason = pool.break_down(BrokenExecutor::from(BrokenProcessPool(reason)));
    seat.staff.dismiss(|process| drop(process.terminate()));
    reason.into_exception()
}

fn nothing() -> Exception {
    Exception::new("RuntimeError", "the worker returned nothing")
}
