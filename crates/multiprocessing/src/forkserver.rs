//! A small process that makes processes.
//!
//! It is this program, started once more and stopped before `main`: one thread, little memory. For
//! each request it forks, and the new process is the child of the process that asked.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use hilos_core::process::exit_now;
use hilos_core::time::Deadline;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, socketpair};
use nix::unistd::Pid;

use crate::error::Error;
use crate::reduction::dumps;
use crate::spawn::{self, FORK_SERVER};
use crate::sys::clone_parent::clone_parent;
use crate::sys::fds;
use crate::sys::image::{self, Descriptor};
use crate::sys::pidfd::{PidFd, readable};
use crate::target::{Call, Plan, Target};
use crate::{children, life, sys};

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

/// What a server does before it serves.
#[derive(Clone, Copy)]
struct Preload {
    function: &'static Descriptor,
    on_error: OnError,
}

static PRELOAD: Mutex<Option<Preload>> = Mutex::new(None);

/// What becomes of an error of [`set_forkserver_preload`]'s function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Nothing: processes start as if there were no function.
    Ignore,
    /// It is printed to the standard error output.
    Warn,
    /// It is printed, and no process can be started by the fork server.
    Fail,
}

/// Has fork servers call a function before they serve: what it prepares in global variables, all
/// processes that the server makes find there.
///
/// Use it for tables and settings that take long to make and that many processes need. It counts for
/// a server that is not started yet, so call it before the first process starts. The function
/// must not leave a thread behind: a process with threads cannot be copied safely, and such a server
/// refuses to serve.
///
/// # Differences from Python
/// Python names modules to import. The default there is to ignore errors.
///
/// Mirrors [`multiprocessing.set_forkserver_preload`](https://docs.python.org/3.15/library/multiprocessing.html#multiprocessing.set_forkserver_preload).
///
/// # Errors
/// None at present.
pub fn set_forkserver_preload<F: Target<()>>(function: F, on_error: OnError) -> Result<(), Error> {
    let call = Call {
        target: function,
        args: (),
    };
    let (function, _) = call.encode()?;
    let preload = Preload { function, on_error };
    *PRELOAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(preload);
    Ok(())
}

impl Preload {
    /// What the server is sent first: the function's place, if there is one, and what to do.
    fn encode(preload: Option<Self>) -> [u8; 9] {
        let mut bytes = [0; 9];
        if let Some(Self { function, on_error }) = preload {
            bytes[..8].copy_from_slice(&(function.offset() as u64).to_le_bytes());
            bytes[8] = 1 + on_error as u8;
        }
        bytes
    }

    /// Does, in the server, what the parent has sent; says whether to serve.
    fn run(bytes: [u8; 9]) -> bool {
        let (offset, on_error) = bytes.split_at(8);
        let on_error = match on_error[0] {
            0 => return true,
            1 => OnError::Ignore,
            2 => OnError::Warn,
            _ => OnError::Fail,
        };
        let offset = u64::from_le_bytes(offset.try_into().expect("eight bytes"));
        let function = Descriptor::at_offset(offset as usize);
        let args = dumps(&()).unwrap_or_default();
        let result = function.map(|function| (function.call)(args));
        if let Some(Err(failure)) = result {
            if on_error != OnError::Ignore {
                eprintln!("the fork server's preload failed: {failure}");
            }
            return on_error != OnError::Fail;
        }
        let alone = sys::fork::threads() == Some(1);
        if !alone {
            eprintln!("the fork server's preload has left a thread behind");
        }
        alone
    }
}

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
        let preload = *PRELOAD.lock().unwrap_or_else(PoisonError::into_inner);
        let preload = Preload::encode(preload);
        fds::send(socket.as_fd(), &preload, &[], MsgFlags::empty())?;
        Ok(Self {
            owner: std::process::id(),
            socket,
            process: PidFd::open(pid)?,
        })
    }

    /// Asks for a process: an error of the server's own, or what the server says.
    fn ask(&self, socket: &OwnedFd) -> nix::Result<Result<Pid, io::Error>> {
        let (out, err) = (io::stdout().as_raw_fd(), io::stderr().as_raw_fd());
        let request = [IoSlice::new(&[0])];
        let send =
            |fds: &[_]| fds::send_parts(self.socket.as_fd(), &request, fds, MsgFlags::empty());
        match send(&[socket.as_raw_fd(), out, err]) {
            // One of the standard streams is closed.
            Err(Errno::EBADF) => send(&[socket.as_raw_fd()])?,
            sent => sent?,
        };
        let mut answer = [0; 4];
        if !readable(self.socket.as_fd(), Deadline::after(PATIENCE)) {
            return Err(Errno::ETIMEDOUT);
        }
        match fds::receive(self.socket.as_fd(), &mut answer, &mut Vec::new())? {
            4 => Ok(match i32::from_le_bytes(answer) {
                pid @ 1.. => Ok(Pid::from_raw(pid)),
                error => Err(io::Error::from_raw_os_error(-error)),
            }),
            _ => Err(Errno::EPIPE),
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
    let mut preload = [0; 9];
    match fds::receive(control.as_fd(), &mut preload, &mut Vec::new()) {
        Ok(9) if Preload::run(preload) => {}
        _ => exit_now(1),
    }
    sys::image::prepare();
    redirect_standard_streams();
    warm_up();
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

/// Does once what each of the new processes would do for itself.
fn warm_up() {
    image::identity();
    Descriptor::at_offset(0);
    children::install();
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
