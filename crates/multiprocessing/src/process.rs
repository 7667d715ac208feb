//! `multiprocessing.Process`.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use hilos_core::time::{Deadline, InvalidTimeout, Timeout};
use hilos_threading::Outcome;
use nix::sys::signal::{Signal, kill};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::authkey::AuthenticationString;
use crate::current::{Identity, authkey, current_process, next_path};
use crate::error::Error;
use crate::failure::{Failure, ProcessFailure, signal_name};
use crate::popen::{self, Started};
use crate::reduction::loads;
use crate::start_method::{StartMethod, get_start_method};
use crate::sys::pidfd::Status;
use crate::target::{Call, Once, Plan, Target, WithContext};
use crate::{children, message};

/// A process, as an object: made, named, started, joined.
///
/// Its function is any `fn` or a closure that captures nothing, and its arguments travel in a
/// tuple; nothing has to be called in `main`. A handle: clones are the same process, and dropping
/// them does not end it. This process waits at its end for those that are not daemons, and
/// terminates the daemons. A process never outlives the one that started it.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::Process;
///
/// fn say_hello(name: String) {
///     println!("Hello, {name}!");
/// }
///
/// let process = Process::new(say_hello, ("world".to_string(),));
/// process.start()?;
/// process.join(None)?;
/// assert_eq!(process.exitcode(), Some(0));
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - A subclass's `run` is a function with arguments.
/// - A daemon may have children of its own.
/// - [`result`](Self::result) tells how the function failed; Python prints it and no more.
///
/// Mirrors [`multiprocessing.Process`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Process).
#[derive(Clone)]
pub struct Process {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Mutex<Settings>,
    path: Vec<u32>,
    /// The process that made this object, which alone may start and join it.
    parent_pid: u32,
    plan: Mutex<Option<Box<dyn Plan>>>,
    /// The process's number, once it is started.
    pid: OnceLock<u32>,
    /// What the system keeps for the process, from its start until it is closed.
    started: Mutex<Option<Arc<Started>>>,
    end: Mutex<End>,
}

struct Settings {
    name: String,
    daemon: bool,
    authkey: Option<AuthenticationString>,
    method: Option<StartMethod>,
}

/// What is known of how the process ended.
#[derive(Default)]
struct End {
    status: Option<Status>,
    failure: Option<Failure>,
    closed: bool,
}

impl Process {
    /// Creates a process that will call `target` with `args`.
    ///
    /// It is named after its number, `Process-1`, and is a daemon if this process is one.
    pub fn new<F, A>(target: F, args: A) -> Self
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        Self::with_plan(Box::new(Call { target, args }), None)
    }

    /// Creates a process that will call a function with values that it captures, as
    /// [`capture!`](crate::capture!) makes both.
    pub fn with_context<C, R>(context: C, function: fn(&C) -> R) -> Self
    where
        C: Serialize + DeserializeOwned + Send + 'static,
        R: Outcome + 'static,
    {
        Self::with_plan(Box::new(WithContext { context, function }), None)
    }

    /// Creates a process that is a copy of this one and will call `function`, whatever it captures.
    ///
    /// It is always started by [`StartMethod::Fork`].
    pub fn forked<F, R>(function: F) -> Self
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome + 'static,
    {
        Self::with_plan(Box::new(Once(function)), Some(StartMethod::Fork))
    }

    fn with_plan(plan: Box<dyn Plan>, method: Option<StartMethod>) -> Self {
        let path = next_path();
        let numbers: Vec<String> = path.iter().map(u32::to_string).collect();
        let name = format!("Process-{}", numbers.join(":"));
        let daemon = current_process().daemon();
        let settings = Mutex::new(Settings {
            name,
            daemon,
            authkey: None,
            method,
        });
        let inner = Inner {
            settings,
            path,
            parent_pid: std::process::id(),
            plan: Mutex::new(Some(plan)),
            pid: OnceLock::new(),
            started: Mutex::default(),
            end: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Names the process; Python's `name=`.
    #[must_use]
    pub fn with_name<N: Into<String>>(self, name: N) -> Self {
        self.set_name(name);
        self
    }

    /// Says whether this process ends without waiting for it; Python's `daemon=`.
    #[must_use]
    pub fn with_daemon(self, daemon: bool) -> Self {
        let _ = self.set_daemon(daemon);
        self
    }

    /// Says how it is started; in Python a context's `Process`.
    #[must_use]
    pub fn with_start_method(self, method: StartMethod) -> Self {
        self.inner.settings.lock().method = Some(method);
        self
    }

    /// Starts the process.
    ///
    /// # Errors
    /// [`Error::Assertion`] if it was started before or made by another process,
    /// [`Error::Encoding`] if an argument cannot travel, [`Error::Os`] if the system refuses.
    pub fn start(&self) -> Result<(), Error> {
        self.check_open()?;
        self.check_parent("can only start a process object created by current process")?;
        let mut slot = self.inner.plan.lock();
        let plan = slot
            .take()
            .ok_or(Error::Assertion("cannot start a process twice"))?;
        let (method, identity) = self.identity();
        match popen::start(method, identity, plan) {
            Ok(started) => {
                let _ = self.inner.pid.set(started.process.pid().as_raw() as u32);
                *self.inner.started.lock() = Some(Arc::new(started));
                children::add(self.clone());
                Ok(())
            }
            Err((error, plan)) => {
                *slot = Some(plan);
                Err(error)
            }
        }
    }

    /// Blocks until the process has ended, or until `timeout` has passed.
    ///
    /// Which of the two it was, [`exitcode`](Self::exitcode) tells. As in Python, a negative
    /// timeout does not block.
    ///
    /// # Errors
    /// [`Error::Assertion`] if it was not started, or not by this process.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> Result<(), Error> {
        let deadline = match timeout.into().checked() {
            Err(InvalidTimeout::Negative) => Deadline::PAST,
            checked => checked?,
        };
        self.check_open()?;
        self.check_parent("can only join a child process")?;
        let started = self.started();
        let started = started.ok_or(Error::Assertion("can only join a started process"))?;
        if started.process.wait(deadline) {
            self.poll();
        }
        Ok(())
    }

    /// Whether the process was started and has not ended.
    pub fn is_alive(&self) -> bool {
        self.inner.pid.get().is_some() && self.poll().is_none()
    }

    /// What the process returned, or the negative number of the signal that killed it; `None`
    /// before it has ended.
    pub fn exitcode(&self) -> Option<i32> {
        self.poll().map(|status| status.exitcode)
    }

    /// How the process ended: [`ProcessFailure`] unless its exit code is 0, and `None` before.
    ///
    /// # Differences from Python
    /// Python has no such call.
    pub fn result(&self) -> Option<Result<(), ProcessFailure>> {
        let Status { exitcode, peak_kib } = self.poll()?;
        let failure = self.inner.end.lock().failure.clone();
        Some(match (failure, exitcode) {
            (_, 0) => Ok(()),
            (Some(failure), 1..) => Err(ProcessFailure::Failed(failure)),
            (_, 1..) => Err(ProcessFailure::Exited { exitcode }),
            (_, _) => Err(ProcessFailure::Killed {
                signal: -exitcode,
                peak_kib,
            }),
        })
    }

    /// Asks the process to end: SIGTERM.
    ///
    /// # Errors
    /// [`Error::Assertion`] if it was not started.
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal(Signal::SIGTERM)
    }

    /// Ends the process: SIGKILL.
    ///
    /// # Errors
    /// [`Error::Assertion`] if it was not started.
    pub fn kill(&self) -> Result<(), Error> {
        self.signal(Signal::SIGKILL)
    }

    /// Interrupts the process, as Ctrl-C does: SIGINT.
    ///
    /// # Errors
    /// [`Error::Assertion`] if it was not started.
    pub fn interrupt(&self) -> Result<(), Error> {
        self.signal(Signal::SIGINT)
    }

    /// Gives back what the system keeps for a process that has ended.
    ///
    /// # Errors
    /// [`Error::Value`] if it still runs.
    pub fn close(&self) -> Result<(), Error> {
        if self.is_alive() {
            let hint = "Cannot close a process while it is still running. \
                        You should first call join() or terminate().";
            return Err(Error::Value(hint.into()));
        }
        self.inner.end.lock().closed = true;
        self.inner.started.lock().take();
        Ok(())
    }

    /// The process's name.
    pub fn name(&self) -> String {
        self.inner.settings.lock().name.clone()
    }

    /// Changes the name by which this process knows it.
    pub fn set_name<N: Into<String>>(&self, name: N) {
        self.inner.settings.lock().name = name.into();
    }

    /// Whether this process ends without waiting for it.
    pub fn daemon(&self) -> bool {
        self.inner.settings.lock().daemon
    }

    /// Says whether this process ends without waiting for it.
    ///
    /// # Errors
    /// [`Error::Assertion`] if it was started before.
    pub fn set_daemon(&self, daemon: bool) -> Result<(), Error> {
        if self.inner.pid.get().is_some() {
            return Err(Error::Assertion("process has already started"));
        }
        self.inner.settings.lock().daemon = daemon;
        Ok(())
    }

    /// The secret that it shares with this process.
    pub fn authkey(&self) -> Vec<u8> {
        let own = self.inner.settings.lock().authkey.clone();
        own.unwrap_or_else(authkey).to_vec()
    }

    /// Changes the secret that it will be given.
    pub fn set_authkey<K: Into<Vec<u8>>>(&self, key: K) {
        self.inner.settings.lock().authkey = Some(AuthenticationString::new(key));
    }

    /// The process's number; `None` before it is started.
    pub fn pid(&self) -> Option<u32> {
        self.inner.pid.get().copied()
    }

    /// What becomes readable when the process ends, to wait for it together with other things;
    /// `None` before it is started and after it is closed.
    pub fn sentinel(&self) -> Option<Arc<OwnedFd>> {
        self.started().map(|started| started.process.sentinel())
    }

    fn started(&self) -> Option<Arc<Started>> {
        self.inner.started.lock().clone()
    }

    fn identity(&self) -> (StartMethod, Identity) {
        let settings = self.inner.settings.lock();
        let identity = Identity {
            name: settings.name.clone(),
            daemon: settings.daemon,
            authkey: settings.authkey.clone().unwrap_or_else(authkey),
            parent_pid: std::process::id(),
            parent_name: current_process().name().to_owned(),
            path: self.inner.path.clone(),
        };
        (settings.method.unwrap_or_else(get_start_method), identity)
    }

    pub(crate) fn status(&self) -> Option<Status> {
        self.poll()
    }

    /// The status, if the process has ended; takes it from the system the first time.
    fn poll(&self) -> Option<Status> {
        let mut end = self.inner.end.lock();
        if end.status.is_some() {
            return end.status;
        }
        let started = self.started()?;
        if started.process.wait(Deadline::PAST) {
            // Somebody else who waits for all children has taken it: how it ended is not known.
            let unknown = Status {
                exitcode: 255,
                peak_kib: 0,
            };
            let status = started.process.reap().unwrap_or(unknown);
            end.status = Some(status);
            if status.exitcode > 0 {
                let report = message::receive(started.socket.as_fd()).ok();
                end.failure = report.and_then(|report| loads(&report.bytes, report.fds).ok());
            }
        }
        end.status
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.check_open()?;
        let started = self.started();
        let started = started.ok_or(Error::Assertion("can only signal a started process"))?;
        // Not reaped while this is held, so that the number still means this process.
        let end = self.inner.end.lock();
        if end.status.is_none() {
            kill(started.process.pid(), signal)?;
        }
        Ok(())
    }

    fn check_open(&self) -> Result<(), Error> {
        match self.inner.end.lock().closed {
            true => Err(Error::Value("process object is closed".into())),
            false => Ok(()),
        }
    }

    fn check_parent(&self, otherwise: &'static str) -> Result<(), Error> {
        match self.inner.parent_pid == std::process::id() {
            true => Ok(()),
            false => Err(Error::Assertion(otherwise)),
        }
    }
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for Process {}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Process name='{}'", self.name())?;
        if let Some(pid) = self.pid() {
            write!(f, " pid={pid}")?;
        }
        write!(f, " parent={}", self.inner.parent_pid)?;
        let closed = self.inner.end.lock().closed;
        match (closed, self.pid(), self.exitcode()) {
            (true, ..) => return f.write_str(" closed>"),
            (_, None, _) => f.write_str(" initial")?,
            (_, Some(_), None) => f.write_str(" started")?,
            (_, _, Some(exitcode @ 0..)) => write!(f, " stopped exitcode={exitcode}")?,
            (_, _, Some(exitcode)) => {
                write!(f, " stopped exitcode=-{}", signal_name(-exitcode))?;
            }
        }
        f.write_str(if self.daemon() { " daemon>" } else { ">" })
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
