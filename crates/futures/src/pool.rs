//! The workers of an executor and the queue that they serve.

use std::collections::VecDeque;
use std::sync::Arc;

use hilos_core::panic::{Unwound, catch};
use hilos_core::sync::{Condvar, Mutex};
use hilos_threading::{Exception, Thread};

use crate::error::{BrokenExecutor, BrokenThreadPool, RuntimeError};
use crate::exit::{self, Ends};
use crate::repr::report;
use crate::work::Work;

/// What an executor and its workers share.
///
/// A worker lives until the pool is closed and its queue is empty, so that whatever was submitted
/// is run, whether anybody still holds the executor or not. Each is a thread that works with a `W`:
/// nothing in a pool of threads, a process of its own in a pool of processes.
pub(crate) struct Pool<W: 'static = ()> {
    max_workers: usize,
    state: Mutex<State<W>>,
    /// Told when there is work, or no more to come.
    changed: Condvar,
}

/// What a worker calls first, for what it works with; an error breaks the pool.
pub(crate) type Begin<W> = Arc<dyn Fn() -> Result<W, Exception> + Send + Sync>;

struct State<W: 'static> {
    queue: VecDeque<Box<dyn Work<W>>>,
    workers: Vec<Thread>,
    /// How many workers wait for work that nobody has put in the queue for them yet.
    idle: usize,
    /// Whether no more work may come.
    closed: bool,
    /// Why no work is done any more.
    broken: Option<BrokenExecutor>,
    thread_name_prefix: String,
    begin: Begin<W>,
}

impl<W: 'static> Pool<W> {
    pub(crate) fn new(
        max_workers: usize,
        thread_name_prefix: String,
        begin: Begin<W>,
    ) -> Arc<Self> {
        let state = State {
            queue: VecDeque::new(),
            workers: Vec::new(),
            idle: 0,
            closed: false,
            broken: None,
            thread_name_prefix,
            begin,
        };
        let pool = Arc::new(Self {
            max_workers,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        exit::register(pool.clone());
        pool
    }

    pub(crate) fn max_workers(&self) -> usize {
        self.max_workers
    }

    pub(crate) fn workers(&self) -> Vec<Thread> {
        self.state.lock().workers.clone()
    }

    pub(crate) fn set_thread_name_prefix(&self, prefix: String) {
        self.state.lock().thread_name_prefix = prefix;
    }

    pub(crate) fn set_begin(&self, begin: Begin<W>) {
        self.state.lock().begin = begin;
    }

    /// How many calls wait for a worker, and how many workers for a call.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.queue.len(), state.idle)
    }

    /// Whether work may come.
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn check(&self) -> Result<(), RuntimeError> {
        self.state.lock().check()
    }

    /// Puts work in the queue, and sees to it that somebody does it.
    pub(crate) fn submit(self: &Arc<Self>, work: Box<dyn Work<W>>) -> Result<(), RuntimeError> {
        let mut state = self.state.lock();
        state.check()?;
        if state.idle > 0 {
            state.idle -= 1;
            state.queue.push_back(work);
            drop(state);
            self.changed.notify_one();
            return Ok(());
        }
        if state.workers.len() < self.max_workers {
            match self.start_worker(&state) {
                Ok(worker) => state.workers.push(worker),
                // The workers that there are will do it.
                Err(_) if !state.workers.is_empty() => {}
                Err(error) => return Err(RuntimeError::CannotStart(error)),
            }
        }
        state.queue.push_back(work);
        Ok(())
    }

    fn start_worker(self: &Arc<Self>, state: &State<W>) -> Result<Thread, hilos_threading::Error> {
        let name = format!("{}_{}", state.thread_name_prefix, state.workers.len());
        let (pool, begin) = (self.clone(), state.begin.clone());
        // The program waits for it, whatever thread submits: see `exit`.
        let worker = Thread::new(move || pool.work(&*begin))
            .with_name(name)
            .with_daemon(false);
        worker.start()?;
        Ok(worker)
    }

    /// Takes no more work; `cancel` also drops what is in the queue.
    pub(crate) fn close(&self, cancel: bool) {
        let mut state = self.state.lock();
        state.closed = true;
        let queue = if cancel {
            std::mem::take(&mut state.queue)
        } else {
            VecDeque::new()
        };
        drop(state);
        self.wake();
        // Outside the lock, because callbacks may run.
        queue.into_iter().for_each(|work| work.cancel());
    }

    /// Waits for every worker.
    pub(crate) fn join(&self) {
        for worker in self.workers() {
            // A worker cannot wait for itself, and need not.
            let _ = worker.join(None);
        }
    }

    /// What a worker does.
    fn work(&self, begin: &dyn Fn() -> Result<W, Exception>) {
        let Some(mut with) = attempt(begin) else {
            self.break_down(BrokenThreadPool.into());
            return;
        };
        while let Some(work) = self.next() {
            // Nothing of the call's own gets so far, but destructors may panic.
            if let Err(Unwound::Panic(panic)) = catch(|| work.run(self, &mut with)) {
                report(panic.into());
            }
        }
    }

    /// Waits for work; `None` when the worker is to end.
    fn next(&self) -> Option<Box<dyn Work<W>>> {
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.queue.pop_front() {
                return Some(work);
            }
            if state.closed || exit::begun() {
                return None;
            }
            state.idle += 1;
            self.changed.wait(&mut state);
        }
    }

    /// Fails all work, now and later; says why that is, which may be an earlier reason.
    pub(crate) fn break_down(&self, reason: BrokenExecutor) -> BrokenExecutor {
        let mut state = self.state.lock();
        let reason = state.broken.get_or_insert(reason).clone();
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        for work in queue {
            work.fail(reason.clone().into_exception());
        }
        reason
    }
}

impl<W> Ends for Pool<W> {
    fn wake(&self) {
        // Whoever holds the lock may be about to wait, after a look at what has changed since.
        drop(self.state.lock());
        self.changed.notify_all();
    }
}

impl<W> State<W> {
    /// Whether work may come.
    fn check(&self) -> Result<(), RuntimeError> {
        if let Some(reason) = &self.broken {
            Err(RuntimeError::Broken(reason.clone()))
        } else if self.closed {
            Err(RuntimeError::AfterShutdown)
        } else if exit::begun() {
            Err(RuntimeError::AfterInterpreterShutdown)
        } else {
            Ok(())
        }
    }
}

/// What a worker begins with; a failure is reported.
fn attempt<W>(begin: &dyn Fn() -> Result<W, Exception>) -> Option<W> {
    match catch(begin) {
        Ok(Ok(with)) => return Some(with),
        Ok(Err(exception)) => report(exception),
        Err(Unwound::Panic(panic)) => report(panic.into()),
        Err(Unwound::Exit) => {}
    }
    None
}
