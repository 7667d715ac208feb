//! A child process, and who is told when it ends.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitStatus};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::os_error::os_error;
use crate::sys::pidfd;

/// A child that is waited for by this alone. Dropped while it runs, it is killed.
pub(super) struct Child {
    event_loop: EventLoop,
    process: RefCell<process::Child>,
    pid: i32,
    returncode: Cell<Option<i32>>,
    /// Can be read from when the child has ended.
    watched: RefCell<Option<OwnedFd>>,
}

impl Child {
    pub(super) fn new(event_loop: &EventLoop, process: process::Child) -> Self {
        Self {
            event_loop: event_loop.clone(),
            // The system's numbers of processes are positive and below 2^22.
            pid: process.id() as i32,
            process: RefCell::new(process),
            returncode: Cell::new(None),
            watched: RefCell::default(),
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    pub(super) fn returncode(&self) -> Option<i32> {
        self.returncode.get()
    }

    /// Has `ended` called when the child has, to [`reap`](Self::reap) it.
    pub(super) fn watch(&self, ended: impl FnMut() + 'static) -> Result<()> {
        let watched = pidfd::open(self.pid as u32).map_err(os_error)?;
        self.event_loop.add_reader(&watched, ended)?;
        *self.watched.borrow_mut() = Some(watched);
        Ok(())
    }

    /// Takes note that the child has ended, if it has.
    pub(super) fn reap(&self) -> Option<i32> {
        if self.returncode.get().is_none() {
            let status = self.process.borrow_mut().try_wait();
            let code = match status {
                Ok(None) => return None,
                Ok(Some(status)) => returncode(status),
                // Somebody else has waited for it.
                Err(_) => 255,
            };
            self.returncode.set(Some(code));
            self.unwatch();
        }
        self.returncode.get()
    }

    fn unwatch(&self) {
        if let Some(watched) = self.watched.take() {
            self.event_loop.remove_reader(&watched);
        }
    }

    /// Sends a signal, unless the child has ended.
    pub(super) fn send_signal(&self, signal: i32) -> Result<()> {
        if self.returncode.get().is_some() {
            return Ok(());
        }
        let number = Signal::try_from(signal);
        let signal = number.map_err(|error| os_error(error.into()))?;
        // It has not been waited for, so that the number is still its own.
        match kill(Pid::from_raw(self.pid), signal) {
            // Somebody else has waited for it, as the loop is about to find out.
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(os_error(error.into())),
        }
    }

    /// Kills the child if it runs, and waits for its end.
    pub(super) fn destroy(&self) {
        self.unwatch();
        if self.reap().is_none() {
            let mut process = self.process.borrow_mut();
            // It may have become somebody else's, by set-user-ID: then it is left alone.
            if process.kill().is_ok() {
                let _ = process.wait();
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.destroy();
    }
}

/// The exit code, or the signal as a negative number.
fn returncode(status: ExitStatus) -> i32 {
    let signal = || status.signal().map(|signal| -signal);
    status.code().or_else(signal).unwrap_or(255)
}

/// What Python raises for a process that is gone.
pub(super) fn process_lookup_error() -> Exception {
    let error = io::Error::from_raw_os_error(nix::libc::ESRCH);
    Exception::new("ProcessLookupError", error)
}
