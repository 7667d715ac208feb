//! What a process has of its fork server.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hilos_core::time::Deadline;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{MsgFlags, SockType};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::preload::Preload;
use crate::error::Error;
use crate::message;
use crate::popen::spawn_program;
use crate::reduction::Message;
use crate::spawn::FORK_SERVER;
use crate::sys::fds::{self, socket_pair};
use crate::sys::pidfd::{PidFd, readable};

/// How long a server may take to answer before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server of this process.
struct Server {
    /// Which process it belongs to: a forked copy needs its own.
    owner: u32,
    socket: OwnedFd,
    process: PidFd,
    /// By which a process takes its order that was asked for ahead; the answer has not been read.
    ahead: Option<OwnedFd>,
}

/// A process that waits for its order.
struct Idle {
    process: PidFd,
    orders: OwnedFd,
}

/// The server is gone, or as good as that.
struct Lost;

static SERVER: Mutex<Option<Server>> = Mutex::new(None);

/// Starts a process that does what `order` says.
pub(crate) fn start(order: &Message) -> Result<PidFd, Error> {
    let mut idle = next()?;
    if message::send(idle.orders.as_fd(), order).is_err() {
        // It was killed while it waited for the order.
        idle.discard();
        idle = next()?;
        // A child that has died already says so by its status, not by this.
        let _ = message::send(idle.orders.as_fd(), order);
    }
    if let Some(server) = &mut *SERVER.lock().unwrap_or_else(PoisonError::into_inner) {
        server.ask_ahead();
    }
    Ok(idle.process)
}

/// Takes this copy's hand off the server of the process that it is a copy of.
pub(crate) fn forget() {
    if let Ok(mut slot) = SERVER.try_lock() {
        slot.take();
    }
}

/// The process that waits for its order, or else a new one.
fn next() -> Result<Idle, Error> {
    let mut slot = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..2 {
        let mut server = match slot.take().filter(Server::is_ours) {
            Some(server) => server,
            None => Server::launch()?,
        };
        match server.next() {
            Ok(idle) => {
                *slot = Some(server);
                return idle;
            }
            // It was killed: a new one takes its place.
            Err(Lost) => server.bury(),
        }
    }
    Err(Error::os("the fork server ends as soon as it is started"))
}

impl Server {
    fn launch() -> Result<Self, Error> {
        let (socket, theirs) = socket_pair(SockType::SeqPacket)?;
        let pid = spawn_program(FORK_SERVER, theirs.as_fd())?;
        fds::send(socket.as_fd(), &Preload::encode(), &[], MsgFlags::empty())?;
        Ok(Self {
            owner: std::process::id(),
            socket,
            process: PidFd::open(pid)?,
            ahead: None,
        })
    }

    fn is_ours(&self) -> bool {
        self.owner == std::process::id()
    }

    /// A process without an order.
    fn next(&mut self) -> Result<Result<Idle, Error>, Lost> {
        if let Some(orders) = self.ahead.take()
            && let Ok(idle) = self.answer(orders)?
        {
            return Ok(Ok(idle));
        }
        match socket_pair(SockType::Stream) {
            Ok((orders, theirs)) => {
                self.ask(theirs)?;
                self.answer(orders)
            }
            Err(error) => Ok(Err(error.into())),
        }
    }

    /// Has the server make a process for the next order, if nothing stands in the way.
    fn ask_ahead(&mut self) {
        if self.ahead.is_none()
            && let Ok((orders, theirs)) = socket_pair(SockType::Stream)
            && self.ask(theirs).is_ok()
        {
            self.ahead = Some(orders);
        }
    }

    /// Asks for a process that takes its order by `socket`.
    fn ask(&self, socket: OwnedFd) -> Result<(), Lost> {
        let sent = fds::send(self.socket.as_fd(), &[0], &[socket], MsgFlags::empty());
        sent.map(drop).map_err(|_| Lost)
    }

    /// What the server says to the request that is next to be answered.
    fn answer(&self, orders: OwnedFd) -> Result<Result<Idle, Error>, Lost> {
        let mut answer = [0; 4];
        if !readable(self.socket.as_fd(), Deadline::after(PATIENCE)) {
            return Err(Lost);
        }
        match fds::receive(self.socket.as_fd(), &mut answer, &mut Vec::new()) {
            Ok(4) => Ok(match i32::from_le_bytes(answer) {
                pid @ 1.. => Idle::adopt(Pid::from_raw(pid), orders),
                error => Err(io::Error::from_raw_os_error(-error).into()),
            }),
            _ => Err(Lost),
        }
    }

    /// Clears away a server that does not answer.
    fn bury(self) {
        let _ = kill(self.process.pid(), Signal::SIGKILL);
        clear_away(&self.process);
    }
}

impl Idle {
    /// Takes charge of a child.
    fn adopt(pid: Pid, orders: OwnedFd) -> Result<Self, Error> {
        match PidFd::open(pid) {
            Ok(process) => Ok(Self { process, orders }),
            Err(error) => {
                // Nobody can give it an order any more, so it ends.
                drop(orders);
                let _ = waitpid(pid, None);
                Err(error.into())
            }
        }
    }

    fn discard(self) {
        drop(self.orders);
        clear_away(&self.process);
    }
}

fn clear_away(process: &PidFd) {
    process.wait(Deadline::after(PATIENCE));
    process.reap();
}
