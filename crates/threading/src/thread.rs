//! `threading.Thread`.

mod life;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hilos_core::contextvars::Context;
use hilos_core::time::{Deadline, InvalidTimeout, Timeout};

use crate::call::Call;
use crate::error::{Error, RuntimeError};
use crate::name::{self, Name};
use crate::outcome::{Outcome, short_type_name};
use crate::registry;
use crate::repr::debug_like_display;
use crate::returning::Returning;
use life::{Inner, Life};

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
