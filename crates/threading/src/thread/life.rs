//! The life of a thread: made, started, run, ended, cleared away.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use hilos_core::contextvars::Context;
use hilos_core::ident;
use hilos_core::panic::{Unwound, catch};
use hilos_core::time::{Deadline, Timeout};
use parking_lot::Mutex;

use super::Thread;
use crate::error::{Error, RuntimeError, ValueError};
use crate::event::Event;
use crate::excepthook::{Exception, report};
use crate::name::Name;
use crate::stack_size::stack_size;
use crate::{exit, registry, wheel};

pub(super) struct Inner {
    pub(super) class: &'static str,
    pub(super) name: Mutex<Name>,
    pub(super) daemon: AtomicBool,
    pub(super) started: AtomicBool,
    /// The identifier, 0 before there is one.
    pub(super) ident: AtomicUsize,
    /// The kernel's number, 0 before there is one.
    pub(super) native_id: AtomicU32,
    pub(super) life: Mutex<Life>,
    /// Set when the thread has ended.
    pub(super) done: Event,
    /// Set when the system has cleared it away too, if anybody has waited for that.
    cleared: Event,
    /// Whether it was left behind in the process that this one is a fork of.
    lost: AtomicBool,
    /// Whether it is a timer that calls nothing any more.
    cancelled: AtomicBool,
}

/// What is left to be started or to be joined.
pub(super) enum Life {
    /// Not started; a timer will wait that long.
    Initial(Plan, Option<Timeout>),
    /// A timer that was started and waits for its moment.
    Waiting(Plan, wheel::Ticket),
    /// Running on a thread of the system that nobody has joined yet.
    Running(JoinHandle<()>),
    /// Running or ending, and some thread waits for the system to clear it away.
    Joining,
    /// Ended or cancelled, and cleared away.
    Joined,
    /// Not for joining: the main thread.
    Main,
    /// Not for joining: a thread that hilos did not start.
    Dummy,
}

/// What a thread will do.
pub(super) struct Plan {
    job: Job,
    pub(super) context: Option<Context>,
}

pub(crate) type Job = Box<dyn FnOnce() -> Option<Exception> + Send>;

impl Thread {
    pub(crate) fn with_job(
        class: &'static str,
        name: Name,
        job: Job,
        delay: Option<Timeout>,
    ) -> Self {
        let daemon = registry::current_thread().daemon();
        let plan = Plan { job, context: None };
        let life = Life::Initial(plan, delay);
        Self::from_parts(class, name, daemon, life)
    }

    /// The thread that runs `main`.
    pub(crate) fn main(ident: Option<NonZeroUsize>) -> Self {
        let thread = Self::from_parts(
            "_MainThread",
            Name::Given("MainThread".into()),
            false,
            Life::Main,
        );
        let ident = ident.map_or(0, NonZeroUsize::get);
        thread.inner.ident.store(ident, Ordering::Relaxed);
        thread
            .inner
            .native_id
            .store(std::process::id(), Ordering::Relaxed);
        thread.inner.started.store(true, Ordering::Relaxed);
        thread
    }

    /// The current thread, which hilos did not start.
    pub(crate) fn dummy() -> Self {
        let thread = Self::from_parts("_DummyThread", Name::dummy(), true, Life::Dummy);
        thread.inner.started.store(true, Ordering::Relaxed);
        thread.identify();
        thread
    }

    fn from_parts(class: &'static str, name: Name, daemon: bool, life: Life) -> Self {
        let inner = Inner {
            class,
            name: Mutex::new(name),
            daemon: AtomicBool::new(daemon),
            started: AtomicBool::new(false),
            ident: AtomicUsize::new(0),
            native_id: AtomicU32::new(0),
            life: Mutex::new(life),
            done: Event::new(),
            cleared: Event::new(),
            lost: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(super) fn check_join(&self) -> Result<(), RuntimeError> {
        if !self.inner.started.load(Ordering::Acquire) {
            return Err(RuntimeError::JoinBeforeStart);
        }
        if self.inner.done.is_set() {
            return Ok(());
        }
        if self.ident() == Some(registry::get_ident()) {
            return Err(RuntimeError::JoinCurrent);
        }
        if matches!(&*self.inner.life.lock(), Life::Dummy) {
            return Err(RuntimeError::JoinDummy);
        }
        if self.daemon() && registry::closed() {
            return Err(RuntimeError::JoinAtExit);
        }
        Ok(())
    }

    /// Whether the thread has ended when `deadline` passes.
    pub(crate) fn ended_by(&self, deadline: Deadline) -> bool {
        self.inner.done.wait_until(deadline)
    }

    /// Waits for the end of the thread, and then for the system to have cleared it away; `false`
    /// if `deadline` has passed before.
    pub(crate) fn join_until(&self, deadline: Deadline) -> bool {
        // The system alone tells both: one wake-up in place of two for the first to wait for ever.
        if deadline.is_never() {
            self.clear_away();
        }
        let ended = self.ended_by(deadline);
        if ended && !self.clear_away() {
            self.inner.cleared.wait(None);
        }
        ended
    }

    /// Waits for the system to clear the thread away; `false` if another thread does so already.
    fn clear_away(&self) -> bool {
        let mut life = self.inner.life.lock();
        match std::mem::replace(&mut *life, Life::Joining) {
            Life::Running(handle) => {
                drop(life);
                if self.inner.lost.load(Ordering::Relaxed) {
                    // The system knows nothing of it in this process.
                    std::mem::forget(handle);
                    return true;
                }
                // Whatever the thread calls is watched: there is no panic to pass on.
                drop(handle.join());
                *self.inner.life.lock() = Life::Joined;
                self.inner.cleared.set();
                true
            }
            Life::Joining => false,
            other => {
                *life = other;
                true
            }
        }
    }

    /// Marks the thread as ended.
    pub(crate) fn finish(&self) {
        self.inner.done.set();
    }

    /// Marks the thread as ended in a forked child, where no thread can be waiting for that.
    pub(crate) fn lost_in_fork(&self) {
        self.inner.lost.store(true, Ordering::Relaxed);
        self.inner.done.set_unwatched();
        self.inner.cleared.set_unwatched();
    }

    /// Sets the thread going, now or when its delay has passed.
    pub(super) fn launch(&self, plan: Plan, delay: Option<Timeout>) -> (Life, Result<(), Error>) {
        if self.inner.name.lock().has_nul() {
            return (
                Life::Initial(plan, delay),
                Err(ValueError::EmbeddedNul.into()),
            );
        }
        exit::install();
        let number = match registry::add(self) {
            Ok(number) => number,
            Err(error) => return (Life::Initial(plan, delay), Err(error.into())),
        };
        self.inner.started.store(true, Ordering::Release);
        if let Some(delay) = delay {
            let ticket = wheel::add(self.clone(), number, delay.deadline());
            return (Life::Waiting(plan, ticket), Ok(()));
        }
        match self.spawn(number, plan) {
            Ok(handle) => (Life::Running(handle), Ok(())),
            Err((reason, plan)) => {
                self.inner.started.store(false, Ordering::Release);
                registry::remove(number);
                (
                    Life::Initial(plan, delay),
                    Err(RuntimeError::CannotStart(Arc::new(reason)).into()),
                )
            }
        }
    }

    /// Has a waiting timer run; `false` if the system refused the thread for now.
    pub(crate) fn fire(&self, number: u64) -> bool {
        let mut life = self.inner.life.lock();
        let (plan, ticket) = match std::mem::replace(&mut *life, Life::Joined) {
            Life::Waiting(plan, ticket) => (plan, ticket),
            // It was cancelled meanwhile.
            other => {
                *life = other;
                return true;
            }
        };
        match self.spawn(number, plan) {
            Ok(handle) => {
                *life = Life::Running(handle);
                true
            }
            Err((_, plan)) => {
                *life = Life::Waiting(plan, ticket);
                false
            }
        }
    }

    /// Ends a timer that waits; one that was not started will end as soon as it is.
    pub(crate) fn cancel_delay(&self) {
        self.inner.cancelled.store(true, Ordering::Release);
        let mut life = self.inner.life.lock();
        match std::mem::replace(&mut *life, Life::Joined) {
            Life::Waiting(plan, ticket) => {
                drop(life);
                wheel::remove(ticket);
                registry::remove(ticket.number());
                self.finish();
                // Dropped last, for it owns the user's values.
                drop(plan);
            }
            Life::Initial(plan, _) => *life = Life::Initial(plan, None),
            other => *life = other,
        }
    }

    /// Whether the thread has ended, or is a timer that was cancelled.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_cancelled() || self.inner.done.is_set()
    }

    fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::Acquire)
    }

    /// Starts a thread of the system; gives the plan back if there is none to be had.
    fn spawn(&self, number: u64, plan: Plan) -> Result<JoinHandle<()>, (io::Error, Plan)> {
        let mut builder = std::thread::Builder::new();
        let name = self.name();
        if !name.is_empty() {
            builder = builder.name(name);
        }
        if stack_size() > 0 {
            builder = builder.stack_size(stack_size());
        }
        let plan = Arc::new(Mutex::new(Some(plan)));
        let (thread, slot) = (self.clone(), plan.clone());
        let spawned = builder.spawn(move || {
            // Only a thread that was not started leaves its plan behind.
            let plan = slot.lock().take();
            drop(slot);
            if let Some(plan) = plan {
                thread.bootstrap(number, plan);
            }
        });
        match spawned {
            Ok(handle) => {
                #[cfg(unix)]
                self.set_ident(std::os::unix::thread::JoinHandleExt::as_pthread_t(&handle) as usize);
                Ok(handle)
            }
            Err(reason) => Err((reason, plan.lock().take().expect("nobody took it"))),
        }
    }

    /// What the thread of the system does.
    fn bootstrap(self, number: u64, plan: Plan) {
        registry::set_current(self.clone());
        self.identify();
        let exception = if self.is_cancelled() { None } else { run(plan) };
        if let Some(exception) = exception {
            report(exception, &self);
        }
        registry::remove(number);
        self.finish();
    }

    /// Notes what the current thread is called by the system.
    fn identify(&self) {
        self.set_ident(registry::get_ident());
        self.inner
            .native_id
            .store(ident::get_native_id() as u32, Ordering::Release);
    }

    fn set_ident(&self, ident: usize) {
        self.inner.ident.store(ident, Ordering::Release);
    }
}

/// Runs a thread's function in its context, and returns what nobody in it caught.
fn run(Plan { job, context }: Plan) -> Option<Exception> {
    let job = move || match context {
        None => job(),
        Some(context) => context
            .run(job)
            .unwrap_or_else(|error| Some(Exception::new("RuntimeError", error))),
    };
    match catch(job) {
        Ok(exception) => exception,
        Err(Unwound::Panic(panic)) => Some(panic.into()),
        Err(Unwound::Exit) => None,
    }
}
