//! `threading.Thread`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use hilos_core::contextvars::Context;
use hilos_core::ident;
use hilos_core::panic::{Unwound, catch};
use hilos_core::time::{Deadline, InvalidTimeout, Timeout};
use parking_lot::Mutex;

use crate::call::Call;
use crate::error::{Error, RuntimeError, ValueError};
use crate::event::Event;
use crate::excepthook::{Exception, report};
use crate::name::{self, Name};
use crate::outcome::{Outcome, short_type_name};
use crate::repr::debug_like_display;
use crate::returning::Returning;
use crate::stack_size::stack_size;
use crate::{exit, registry, wheel};

/// A thread, as an object: made, named, started, joined.
///
/// A handle: clones are the same thread, as Python's references are, and dropping them all does
/// not end it. The program ends when `main` has returned *and* every thread that is not a daemon
/// has ended; nothing has to be called for that. Daemons are left behind.
///
/// A panic in the thread, or an `Err` that its function returns, goes to
/// [`excepthook`](fn@crate::excepthook), never to [`join`](Self::join).
///
/// ```
/// use hilos_threading as threading;
/// use threading::Thread;
///
/// fn worker(number: u32) {
///     println!("worker {number} in {}", threading::current_thread().name());
/// }
///
/// let thread = Thread::new(|| worker(1)).with_name("Worker").with_daemon(true);
/// thread.start()?;
/// thread.join(None)?;
/// assert!(thread.to_string().starts_with("<Thread(Worker, stopped daemon "));
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Differences from Python
/// - Arguments travel in the closure, or by [`with_args`](Self::with_args); a subclass is a type that implements [`Run`].
/// - `start` does not wait until the thread runs, only until it exists.
/// - A closure passes for a `lambda` in a thread's default name.
/// - A name with a NUL byte is refused by `start`; CPython cuts it for the system.
/// - `std::process::exit` in a thread ends the process, as `os._exit` does; to end the thread
///   alone, as `sys.exit` does, call [`exit`](crate::exit).
///
/// Mirrors [`threading.Thread`](https://docs.python.org/3.14/library/threading.html#threading.Thread).
#[derive(Clone)]
pub struct Thread {
    inner: Arc<Inner>,
}

/// What a type runs in a thread of its own: Python's subclass of `Thread` with a `run` method.
///
/// ```
/// use hilos_threading as threading;
/// use threading::{Run, Thread};
///
/// struct MiHilo { num: u32 }
///
/// impl Run for MiHilo {
///     fn run(&mut self) {
///         println!("Ejecutando el hilo: {}", self.num);
///     }
/// }
///
/// let thread = Thread::from_run(MiHilo { num: 1 });
/// assert!(thread.to_string().starts_with("<MiHilo(Thread-"));
/// thread.start()?;
/// thread.join(None)?;
/// # Ok::<(), threading::Error>(())
/// ```
pub trait Run: Send + 'static {
    /// What the thread does.
    fn run(&mut self);
}

struct Inner {
    class: &'static str,
    name: Mutex<Name>,
    daemon: AtomicBool,
    started: AtomicBool,
    /// The identifier, 0 before there is one.
    ident: AtomicUsize,
    /// The kernel's number, 0 before there is one.
    native_id: AtomicU32,
    life: Mutex<Life>,
    /// Set when the thread has ended.
    done: Event,
    /// Set when the system has cleared it away too, if anybody has waited for that.
    cleared: Event,
    /// Whether it was left behind in the process that this one is a fork of.
    lost: AtomicBool,
}

/// What is left to be started or to be joined.
enum Life {
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
struct Plan {
    job: Job,
    context: Option<Context>,
}

pub(crate) type Job = Box<dyn FnOnce() -> Option<Exception> + Send>;

impl Thread {
    /// Creates a thread that will call `target`, which returns nothing or a `Result`.
    ///
    /// It is a daemon if the current thread is one, and is named after its number and `target`:
    /// `Thread-1 (worker)`.
    pub fn new<F, R>(target: F) -> Self
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        let job = Box::new(move || target().into_exception());
        Self::with_job("Thread", Name::of_target::<F>(), job, None)
    }

    /// Creates a thread that will call `target` with `args`, a tuple; Python's `args=`.
    ///
    /// Unlike a closure around it, `target` gives the thread its default name.
    ///
    /// ```
    /// use hilos_threading as threading;
    /// use threading::Thread;
    ///
    /// fn worker(number: u32, text: &str) {
    ///     println!("{number} {text}");
    /// }
    ///
    /// let thread = Thread::with_args(worker, (1, "hola"));
    /// assert!(thread.name().ends_with(" (worker)"));
    /// thread.start()?;
    /// thread.join(None)?;
    /// # Ok::<(), threading::Error>(())
    /// ```
    pub fn with_args<F, A>(target: F, args: A) -> Self
    where
        F: Call<A, Output: Outcome> + Send + 'static,
        A: Send + 'static,
    {
        let job = Box::new(move || target.call(args).into_exception());
        Self::with_job("Thread", Name::of_target::<F>(), job, None)
    }

    /// Creates a thread that will call [`run`](Run::run); Python's subclass of `Thread`.
    ///
    /// It prints with the name of the type in place of `Thread`.
    pub fn from_run<R: Run>(mut run: R) -> Self {
        let job = Box::new(move || {
            run.run();
            None
        });
        Self::with_job(short_type_name::<R>(), Name::numbered(), job, None)
    }

    /// Creates a thread whose [`join`](Returning::join) hands over what `target` returns.
    pub fn returning<F, T>(target: F) -> Returning<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Returning::new(target)
    }

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
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Names the thread; Python's `name=`.
    ///
    /// The number in its default name goes to the next thread, if that has not been made yet.
    #[must_use]
    pub fn with_name<N: Into<String>>(self, name: N) -> Self {
        self.inner.name.lock().give_back();
        self.set_name(name);
        self
    }

    /// Says whether the program may end without waiting for the thread; Python's `daemon=`.
    ///
    /// Does nothing to a thread that was started, which [`set_daemon`](Self::set_daemon) refuses.
    #[must_use]
    pub fn with_daemon(self, daemon: bool) -> Self {
        let _ = self.set_daemon(daemon);
        self
    }

    /// Has the thread run in `context` instead of an empty one; Python's `context=`.
    ///
    /// Does nothing to a thread that was started.
    #[must_use]
    pub fn with_context(self, context: Context) -> Self {
        if let Life::Initial(plan, _) = &mut *self.inner.life.lock() {
            plan.context = Some(context);
        }
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// [`RuntimeError`] if it was started before, if the system refuses another thread, which is
    /// worth a later try, or if the program has waited for its last thread already.
    /// [`ValueError`] if its name contains a NUL byte. Nothing has changed in any of these cases.
    pub fn start(&self) -> Result<(), Error> {
        let mut life = self.inner.life.lock();
        match std::mem::replace(&mut *life, Life::Joined) {
            Life::Initial(plan, delay) => {
                let (next, result) = self.launch(plan, delay);
                *life = next;
                result
            }
            other => {
                *life = other;
                Err(RuntimeError::StartedTwice.into())
            }
        }
    }

    /// Blocks until the thread has ended, or until `timeout` has passed.
    ///
    /// Which of the two it was, [`is_alive`](Self::is_alive) tells. Any number of threads may
    /// join it, any number of times. As in Python, a negative timeout does not block.
    ///
    /// # Errors
    /// [`RuntimeError`] if the thread was not started, is the current one, is a dummy, or is a
    /// daemon that runs on while the program has already waited for the others; [`ValueError`] or
    /// [`OverflowError`](crate::OverflowError) if the timeout is NaN or too long.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> Result<(), Error> {
        let deadline = match timeout.into().checked() {
            Err(InvalidTimeout::Negative) => Deadline::PAST,
            checked => checked?,
        };
        self.check_join()?;
        self.join_until(deadline);
        Ok(())
    }

    /// The thread's name, which means nothing to hilos and need not be unique.
    pub fn name(&self) -> String {
        self.inner.name.lock().to_string()
    }

    /// Changes the thread's name, for the system too if it is the current thread.
    pub fn set_name<N: Into<String>>(&self, name: N) {
        let name = name.into();
        if self.ident() == Some(registry::get_ident()) {
            name::tell_system(&name);
        }
        *self.inner.name.lock() = Name::Given(name.into());
    }

    /// Whether the program may end without waiting for the thread.
    pub fn daemon(&self) -> bool {
        self.inner.daemon.load(Ordering::Relaxed)
    }

    /// Says whether the program may end without waiting for the thread.
    ///
    /// # Errors
    /// [`RuntimeError`] if the thread was started before.
    pub fn set_daemon(&self, daemon: bool) -> Result<(), RuntimeError> {
        match &*self.inner.life.lock() {
            Life::Initial(..) => {
                self.inner.daemon.store(daemon, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(RuntimeError::DaemonOfActive),
        }
    }

    /// The thread's [`get_ident`](crate::get_ident); `None` before it is started.
    ///
    /// It stays after the thread has ended. A timer has one from when its function begins.
    pub fn ident(&self) -> Option<usize> {
        Some(self.inner.ident.load(Ordering::Acquire)).filter(|&ident| ident != 0)
    }

    /// The number by which the kernel knows the thread; `None` before it runs.
    pub fn native_id(&self) -> Option<u64> {
        let known = || Some(self.inner.native_id.load(Ordering::Acquire)).filter(|&id| id != 0);
        // The thread itself finds it out, as the first thing that it does.
        while known().is_none() && self.ident().is_some() && self.is_alive() {
            std::thread::yield_now();
        }
        known().map(u64::from)
    }

    /// Whether the thread was started and has not ended.
    pub fn is_alive(&self) -> bool {
        self.inner.started.load(Ordering::Acquire) && !self.inner.done.is_set()
    }

    fn check_join(&self) -> Result<(), RuntimeError> {
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
    fn launch(&self, plan: Plan, delay: Option<Timeout>) -> (Life, Result<(), Error>) {
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
        if let Some(exception) = run(plan) {
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

impl PartialEq for Thread {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for Thread {}

impl Hash for Thread {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.inner).hash(state);
    }
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = self.inner.started.load(Ordering::Acquire);
        let status = match (started, self.inner.done.is_set()) {
            (_, true) => "stopped",
            (true, false) => "started",
            (false, false) => "initial",
        };
        let daemon = if self.daemon() { " daemon" } else { "" };
        write!(f, "<{}({}, {status}{daemon}", self.inner.class, self.name())?;
        match self.ident() {
            Some(ident) => write!(f, " {ident})>"),
            None => f.write_str(")>"),
        }
    }
}

debug_like_display!(Thread);
