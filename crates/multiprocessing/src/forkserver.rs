//! A small process that makes processes.
//!
//! It is this program, started once more and stopped before `main`: one thread, little memory. For
//! each request it forks, and the new process is the child of the process that asked.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use hilos_core::process::exit_now;
use hilos_core::time::Deadline;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, socketpair};
use nix::unistd::Pid;

use crate::error::Error;
use crate::life;
use crate::spawn::{self, FORK_SERVER};
use crate::sys::clone_parent::clone_parent;
use crate::sys::fds;
use crate::sys::pidfd::{PidFd, readable};

/// How long a server may take to answer before it counts as lost.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The server of this process.
struct Server {
    /// Which process it belongs to: a forked copy needs its own.
    owner: u32,
    socket: OwnedFd,
    process: PidFd,
}

static SERVER: Mutex<Option<Server>> = Mutex::new(None);

/// Has the server make a process whose socket is `socket`, and returns its number.
pub(crate) fn start(socket: &OwnedFd) -> Result<Pid, Error> {
    let mut slot = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..2 {
        let server = match slot
            .take()
            .filter(|server| server.owner == std::process::id())
        {
            Some(server) => server,
            None => Server::launch()?,
        };
        match server.ask(socket) {
            Ok(pid) => {
                *slot = Some(server);
                return pid.map_err(Into::into);
            }
            // It was killed: a new one takes its place.
            Err(_) => server.bury(),
        }
    }
    Err(Error::os("the fork server ends as soon as it is started"))
}

impl Server {
    fn launch() -> Result<Self, Error> {
        let (socket, theirs) = socket_pair(SockType::SeqPacket)?;
        let pid = crate::popen::spawn_program(FORK_SERVER, theirs.as_fd())?;
        Ok(Self {
            owner: std::process::id(),
            socket,
            process: PidFd::open(pid)?,
        })
    }

    /// Asks for a process: an error of the server's own, or what the server says.
    fn ask(&self, socket: &OwnedFd) -> nix::Result<Result<Pid, io::Error>> {
        let stdio = [
            io::stdout().as_fd().try_clone_to_owned(),
            io::stderr().as_fd().try_clone_to_owned(),
        ];
        let mut passed = vec![socket.try_clone().map_err(|_| nix::errno::Errno::EMFILE)?];
        passed.extend(stdio.into_iter().flatten());
        fds::send(self.socket.as_fd(), &[0], &passed, MsgFlags::empty())?;
        let mut answer = [0; 4];
        if !readable(self.socket.as_fd(), Deadline::after(PATIENCE)) {
            return Err(nix::errno::Errno::ETIMEDOUT);
        }
        match fds::receive(self.socket.as_fd(), &mut answer, &mut Vec::new())? {
            4 => Ok(match i32::from_le_bytes(answer) {
                pid @ 1.. => Ok(Pid::from_raw(pid)),
                error => Err(io::Error::from_raw_os_error(-error)),
            }),
            _ => Err(nix::errno::Errno::EPIPE),
        }
    }

    /// Clears away a server that does not answer.
    fn bury(self) {
        let _ = nix::sys::signal::kill(self.process.pid(), nix::sys::signal::SIGKILL);
        self.process.wait(Deadline::after(PATIENCE));
        self.process.reap();
    }
}

pub(crate) fn socket_pair(kind: SockType) -> Result<(OwnedFd, OwnedFd), Error> {
    Ok(socketpair(
        AddressFamily::Unix,
        kind,
        None,
        SockFlag::SOCK_CLOEXEC,
    )?)
}

/// Makes processes until the one that asks for them is gone.
pub(crate) fn serve(control: OwnedFd) -> ! {
    redirect_standard_streams();
    loop {
        let (mut byte, mut passed) = ([0], Vec::new());
        match fds::receive(control.as_fd(), &mut byte, &mut passed) {
            Ok(1..) => {}
            Ok(0) | Err(_) => exit_now(0),
        }
        // SAFETY: this process has had one thread since its start: nothing here makes another.
        let answer = match unsafe { clone_parent() } {
            Ok(None) => {
                drop(control);
                // The C library was not told of the fork, so that nobody else was.
                life::forget();
                become_process(passed)
            }
            Ok(Some(pid)) => pid.as_raw(),
            Err(error) => -error.raw_os_error().unwrap_or(nix::libc::EIO),
        };
        let answer = answer.to_le_bytes();
        if fds::send(control.as_fd(), &answer, &[], MsgFlags::empty()).is_err() {
            exit_now(0);
        }
    }
}

/// Runs a function in the new process.
fn become_process(passed: Vec<OwnedFd>) -> ! {
    let mut passed = passed.into_iter();
    let Some(socket) = passed.next() else {
        exit_now(1)
    };
    for (number, stream) in (1..).zip(passed) {
        redirect(stream.as_fd(), number);
    }
    spawn::run(socket)
}

/// The server itself reads nothing and writes nothing, and holds no terminal open.
fn redirect_standard_streams() {
    if let Ok(null) = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
    {
        (0..=2).for_each(|number| redirect(null.as_fd(), number));
    }
}

fn redirect(stream: BorrowedFd<'_>, number: i32) {
    if stream.as_raw_fd() != number {
        crate::sys::spawn::duplicate_onto(stream, number);
    }
}
