//! A thread that looks like a process.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hilos_threading::{Error, Exception, Outcome, Thread};

/// A thread with an exit code.
///
/// What a [`Thread`] has, this has too. A handle: clones are the same thread.
///
/// Mirrors `multiprocessing.dummy.DummyProcess`.
#[derive(Clone)]
pub struct Process {
    thread: Thread,
    exitcode: Arc<AtomicI32>,
}

/// Those that were started and not seen to have ended.
static CHILDREN: Mutex<Vec<Process>> = Mutex::new(Vec::new());

/// What stands for an exit code that there is not yet.
const RUNS: i32 = i32::MIN;

impl Process {
    /// Creates a thread that will call `target`.
    pub fn new<F, R>(target: F) -> Self
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        let exitcode = Arc::new(AtomicI32::new(RUNS));
        let theirs = exitcode.clone();
        let run = move || {
            let failed = Failed(theirs);
            match target().into_exception() {
                None => {
                    failed.0.store(0, Ordering::Release);
                    Ok(())
                }
                Some(exception) => Err(Raised(exception)),
            }
        };
        Self {
            thread: Thread::new(run),
            exitcode,
        }
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// As [`Thread::start`].
    pub fn start(&self) -> Result<(), Error> {
        self.thread.start()?;
        let mut children = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain(|child| child.is_alive());
        children.push(self.clone());
        Ok(())
    }

    /// 0 when the function has ended, 1 if it panicked or returned an error, `None` before.
    pub fn exitcode(&self) -> Option<i32> {
        match self.exitcode.load(Ordering::Acquire) {
            RUNS => None,
            _ if self.thread.is_alive() => None,
            code => Some(code),
        }
    }
}

/// The processes of this module that run.
pub fn active_children() -> Vec<Process> {
    let mut children = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
    children.retain(|child| child.is_alive());
    children.clone()
}

/// Leaves exit code 1, unless another was set.
struct Failed(Arc<AtomicI32>);

impl Drop for Failed {
    fn drop(&mut self) {
        let _ = self
            .0
            .compare_exchange(RUNS, 1, Ordering::Release, Ordering::Relaxed);
    }
}

/// The function's error, on to the thread's own hook.
#[derive(Debug)]
struct Raised(Exception);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.type_name(), self.0)
    }
}

impl std::error::Error for Raised {}

impl Deref for Process {
    type Target = Thread;

    fn deref(&self) -> &Thread {
        &self.thread
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.thread.fmt(f)
    }
}
