//! The three ways to start a process.

use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once, PoisonError};

use nix::sys::socket::SockType;
use nix::unistd::Pid;

use crate::current::{Identity, become_child};
use crate::error::Error;
use crate::forkserver::{self, socket_pair};
use crate::spawn::{self, PROCESS};
use crate::start_method::StartMethod;
use crate::sys::lifeline::die_with;
use crate::sys::pidfd::PidFd;
use crate::target::Plan;
use crate::{LOGGER, children, message, sys};

/// A process that was started.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) process: PidFd,
    /// Its report comes here, and it ends when this is closed.
    pub(crate) socket: OwnedFd,
}

/// The program to start in place of this one, if [`set_executable`] has said so.
static EXECUTABLE: Mutex<Option<CString>> = Mutex::new(None);

/// Says which program is started in place of this one; it must be the same build of it.
pub fn set_executable<P: Into<PathBuf>>(executable: P) {
    let path = CString::new(executable.into().into_os_string().into_vec()).ok();
    *EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner) = path;
}

/// Starts this program once more, in a role.
pub(crate) fn spawn_program(role: char, fd: BorrowedFd<'_>) -> Result<Pid, Error> {
    let executable = EXECUTABLE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    // The link names the running file itself, whatever has become of its path.
    let program: &CStr = executable.as_deref().unwrap_or(c"/proc/self/exe");
    Ok(sys::spawn::spawn(program, role, fd)?)
}

/// Starts a process by `method`. Gives the plan back if that fails.
pub(crate) fn start(
    method: StartMethod,
    identity: Identity,
    plan: Box<dyn Plan>,
) -> Result<Started, (Error, Box<dyn Plan>)> {
    if method == StartMethod::Fork {
        return fork(identity, plan);
    }
    match start_program(method, identity, &*plan) {
        Ok(started) => Ok(started),
        Err(error) => Err((error, plan)),
    }
}

/// Any socket takes so much before somebody reads.
const SHORT: usize = 32 * 1024;

fn start_program(
    method: StartMethod,
    identity: Identity,
    plan: &dyn Plan,
) -> Result<Started, Error> {
    let preparation = spawn::prepare(identity, method, plan.encode()?)?;
    let (socket, theirs) = socket_pair(SockType::Stream)?;
    // What the socket takes without a reader is there when the child looks: it need not wait.
    let early = preparation.bytes.len() <= SHORT && preparation.fds.len() <= sys::fds::MAX;
    if early {
        message::send(socket.as_fd(), &preparation)?;
    }
    let pid = match method {
        StartMethod::ForkServer => forkserver::start(&theirs)?,
        _ => spawn_program(PROCESS, theirs.as_fd())?,
    };
    let process = PidFd::open(pid)?;
    drop(theirs);
    if !early {
        // A child that has died already says so by its status, not by this.
        let _ = message::send(socket.as_fd(), &preparation);
    }
    Ok(Started { process, socket })
}

fn fork(identity: Identity, plan: Box<dyn Plan>) -> Result<Started, (Error, Box<dyn Plan>)> {
    let (socket, theirs) = match socket_pair(SockType::Stream) {
        Ok(pair) => pair,
        Err(error) => return Err((error, plan)),
    };
    warn_of_threads();
    // The copy is to know of the same tracker.
    crate::resource_tracker::tree();
    // SAFETY: what the child can be kept waiting by is documented where a user chooses `Fork`.
    match unsafe { sys::fork::fork() } {
        Ok(Some(pid)) => match PidFd::open(pid) {
            Ok(process) => Ok(Started { process, socket }),
            Err(error) => Err((error.into(), plan)),
        },
        Ok(None) => {
            drop(socket);
            run_copy(identity, plan, theirs)
        }
        Err(error) => Err((error.into(), plan)),
    }
}

/// Says once that a copy of a process with several threads may wait for locks that nobody frees.
fn warn_of_threads() {
    static WARNED: Once = Once::new();
    if let Some(count @ 2..) = sys::fork::threads() {
        WARNED.call_once(|| {
            let pid = std::process::id();
            eprintln!(
                "DeprecationWarning: This process (pid={pid}) is multi-threaded ({count} threads), \
                 use of fork() may lead to deadlocks in the child."
            );
        });
    }
}

/// Runs a function in a copy of the process, and ends the copy without the parent's exit hooks.
fn run_copy(identity: Identity, plan: Box<dyn Plan>, socket: OwnedFd) -> ! {
    children::forget();
    let socket = Arc::new(socket);
    let _ = die_with(socket.as_fd());
    become_child(identity, socket.clone());
    tracing::info!(target: LOGGER, "child process calling self.run()");
    let exitcode = spawn::report(plan.run(), socket.as_fd());
    tracing::info!(target: LOGGER, "process exiting with exitcode {exitcode}");
    hilos_threading::finish_copy();
    #[cfg(feature = "pickle")]
    crate::managers::release_all();
    children::finish();
    let _ = io::stdout().flush();
    hilos_core::process::exit_now(exitcode)
}
