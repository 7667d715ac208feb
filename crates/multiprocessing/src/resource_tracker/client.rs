//! A process's side of the tracker.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use hilos_core::process::{AtFork, at_fork};
use hilos_core::time::Deadline;
use nix::errno::Errno;

use super::protocol::{self, Block, GREETING, Request};
use super::tree::Address;
use crate::error::Error;
use crate::spawn::RESOURCE_TRACKER;
use crate::sys::fds;
use crate::sys::pidfd::{PidFd, readable};

/// How long the tracker may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// What this process knows of the tracker.
#[derive(Default)]
struct Client {
    socket: Option<OwnedFd>,
    /// What this process has told it to track, and whether it has left that; a tracker that takes
    /// the place of a killed one hears it again.
    blocks: BTreeMap<Block, bool>,
    /// The tracker, if this process has started it.
    process: Option<PidFd>,
}

static CLIENT: Mutex<Client> = Mutex::new(Client {
    socket: None,
    blocks: BTreeMap::new(),
    process: None,
});

fn client() -> MutexGuard<'static, Client> {
    static FORKS: Once = Once::new();
    FORKS.call_once(at_fork::<Fork>);
    CLIENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what has to be done before anything is tracked.
pub(crate) fn prepare() {
    drop(client());
}

/// Begins anew, as a process that nobody has told anything yet.
pub(super) fn forget() {
    *client() = Client::default();
}

/// Starts the tracker, unless it runs.
pub(super) fn ensure_running() -> Result<(), Error> {
    client().ensure_running()
}

/// Has the tracker remove the block when this process is killed, or else in the end.
pub(crate) fn track(block: &Block) -> Result<(), Error> {
    let mut client = client();
    client.blocks.insert(block.clone(), false);
    let told = client.tell(&Request::Track(block.clone()));
    if told.is_err() {
        client.blocks.remove(block);
    }
    told
}

/// Tells that this process has closed a block that it tracks; others may still want it.
pub(crate) fn leave(block: &Block) {
    let mut client = client();
    // A copy of the process has nothing to say of what its parent tracks.
    if let Some(left) = client.blocks.get_mut(block) {
        *left = true;
        let _ = client.tell(&Request::Leave(block.clone()));
    }
}

/// Has the tracker forget the block.
pub(crate) fn untrack(block: &Block) {
    let mut client = client();
    client.blocks.remove(block);
    // Where no tracker runs, nobody tracks the block.
    if client.socket.is_some() || client.connect().is_ok() {
        let _ = client.tell(&Request::Untrack(block.clone()));
    }
}

impl Client {
    fn tell(&mut self, request: &Request) -> Result<(), Error> {
        if let Some(socket) = &self.socket
            && protocol::send(socket.as_fd(), request).is_ok()
        {
            return Ok(());
        }
        self.ensure_running()?;
        let socket = self.socket.as_ref().expect("it runs");
        Ok(protocol::send(socket.as_fd(), request)?)
    }

    fn ensure_running(&mut self) -> Result<(), Error> {
        match &self.socket {
            // The tracker sends nothing after its greeting, so that this is its end.
            Some(socket) if readable(socket.as_fd(), Deadline::PAST) => self.bury(),
            Some(_) => return Ok(()),
            None => {}
        }
        self.connect_or_start()?;
        let socket = self.socket.as_ref().expect("just connected");
        for (block, left) in &self.blocks {
            protocol::send(socket.as_fd(), &Request::Track(block.clone()))?;
            if *left {
                protocol::send(socket.as_fd(), &Request::Leave(block.clone()))?;
            }
        }
        Ok(())
    }

    fn connect_or_start(&mut self) -> Result<(), Error> {
        let (deadline, mut starts) = (Deadline::after(PATIENCE), 0);
        while starts < 3 && !deadline.passed() {
            match self.connect() {
                Err(Errno::ECONNREFUSED | Errno::ECONNRESET) => {}
                result => return Ok(result?),
            }
            match protocol::listen_at(&Address::current()) {
                Ok(listener) => {
                    starts += 1;
                    let pid = crate::popen::spawn_program(RESOURCE_TRACKER, listener.as_fd())?;
                    self.process = Some(PidFd::open(pid)?);
                }
                // Another process is about to start it.
                Err(Errno::EADDRINUSE) => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error.into()),
            }
        }
        self.reap();
        Err(Error::os(
            "the resource tracker ends as soon as it is started",
        ))
    }

    /// Connects to the tracker, if it runs.
    fn connect(&mut self) -> nix::Result<()> {
        let socket = protocol::connect_to(&Address::current())?;
        let mut greeting = [0; GREETING.len()];
        if !readable(socket.as_fd(), Deadline::after(PATIENCE)) {
            return Err(Errno::ETIMEDOUT);
        }
        match fds::receive(socket.as_fd(), &mut greeting, &mut Vec::new())? {
            0 => Err(Errno::ECONNRESET),
            _ => {
                self.socket = Some(socket);
                Ok(())
            }
        }
    }

    fn bury(&mut self) {
        eprintln!(
            "resource_tracker: process died unexpectedly, relaunching.  Some resources might leak."
        );
        self.socket = None;
        self.reap();
    }

    fn reap(&mut self) {
        if let Some(process) = self.process.take() {
            process.wait(Deadline::after(Duration::from_secs(1)));
            process.reap();
        }
    }
}

/// Keeps the client whole when the process forks, and has the copy begin anew: what its parent
/// tracks is not its own.
struct Fork;

thread_local! {
    /// The client, from before a fork until after it.
    static HELD: Cell<Option<MutexGuard<'static, Client>>> = const { Cell::new(None) };
}

impl AtFork for Fork {
    fn prepare() {
        HELD.set(Some(client()));
    }

    fn parent() {
        HELD.set(None);
    }

    fn child() {
        if let Some(mut client) = HELD.take() {
            *client = Client::default();
        }
    }
}
