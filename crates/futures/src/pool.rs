//! The workers of a `ThreadPoolExecutor` and the queue that they serve.

use std::collections::VecDeque;
use std::sync::Arc;

use hilos_core::panic::{Unwound, catch};
use hilos_core::sync::{Condvar, Mutex};
use hilos_threading::{Exception, Thread};

use crate::error::{BrokenThreadPool, RuntimeError, exception};
use crate::exit;
use crate::repr::report;
use crate::work::Work;

/// What an executor and its workers share.
///
/// A worker lives until the pool is closed and its queue is empty, so that whatever was submitted
/// is run, whether anybody still holds the executor or not.
pub(crate) struct Pool {
    max_workers: usize,
    state: Mutex<State>,
    /// Told when there is work, or no more to come.
    changed: Condvar,
}

/// What a worker calls first; `Some` if it failed.
pub(crate) type Initializer = Arc<dyn Fn() -> Option<Exception> + Send + Sync>;

struct State {
    queue: VecDeque<Box<dyn Work>>,
    workers: Vec<Thread>,
    /// How many workers wait for work that nobody has put in the queue for them yet.
    idle: usize,
    /// Whether no more work may come.
    closed: bool,
    /// Whether an initializer failed.
    broken: bool,
    thread_name_prefix: String,
    initializer: Option<Initializer>,
}

impl Pool {
    pub(crate) fn new(max_workers: usize, thread_name_prefix: String) -> Arc<Self> {
        let state = State {
            queue: VecDeque::new(),
            workers: Vec::new(),
            idle: 0,
            closed: false,
            broken: false,
            thread_name_prefix,
            initializer: None,
        };
        let pool = Arc::new(Self {
            max_workers,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        exit::register(&pool);
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

    pub(crate) fn set_initializer(&self, initializer: Initializer) {
        self.state.lock().initializer = Some(initializer);
    }

    /// How many calls wait for a worker, and how many workers for a call.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.queue.len(), state.idle)
    }

    /// Puts work in the queue, and sees to it that somebody does it.
    pub(crate) fn submit(self: &Arc<Self>, work: Box<dyn Work>) -> Result<(), RuntimeError> {
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

    fn start_worker(self: &Arc<Self>, state: &State) -> Result<Thread, hilos_threading::Error> {
        let name = format!("{}_{}", state.thread_name_prefix, state.workers.len());
        let (pool, initializer) = (self.clone(), state.initializer.clone());
        // The program waits for it, whatever thread submits: see `exit`.
        let worker = Thread::new(move || pool.work(initializer))
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

    /// Has every idle worker look whether it may end.
    pub(crate) fn wake(&self) {
        // Whoever holds the lock may be about to wait, after a look at what has changed since.
        drop(self.state.lock());
        self.changed.notify_all();
    }

    /// What a worker does.
    fn work(&self, initializer: Option<Initializer>) {
        if initializer.is_some_and(|initializer| fails(&*initializer)) {
            return self.break_down();
        }
        while let Some(work) = self.next() {
            // Nothing of the call's own gets so far, but destructors may panic.
            if let Err(Unwound::Panic(panic)) = catch(|| work.run()) {
                report(panic.into());
            }
        }
    }

    /// Waits for work; `None` when the worker is to end.
    fn next(&self) -> Option<Box<dyn Work>> {
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

    /// Fails all work, now and later.
    fn break_down(&self) {
        let mut state = self.state.lock();
        state.broken = true;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        for work in queue {
            work.fail(exception(BrokenThreadPool));
        }
    }
}

impl State {
    /// Whether work may come.
    fn check(&self) -> Result<(), RuntimeError> {
        if self.broken {
            Err(RuntimeError::Broken(BrokenThreadPool.into()))
        } else if self.closed {
            Err(RuntimeError::AfterShutdown)
        } else if exit::begun() {
            Err(RuntimeError::AfterInterpreterShutdown)
        } else {
            Ok(())
        }
    }
}

/// Calls an initializer, reports how it failed, and says whether it did.
fn fails(initializer: &dyn Fn() -> Option<Exception>) -> bool {
    match catch(initializer) {
        Ok(None) => false,
        Ok(Some(exception)) => {
            report(exception);
            true
        }
        Err(Unwound::Panic(panic)) => {
            report(panic.into());
            true
        }
        Err(Unwound::Exit) => true,
    }
}
