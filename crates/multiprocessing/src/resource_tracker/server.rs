//! The tracker itself: a process that outlives the program for a moment.

use std::collections::BTreeMap;
use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::UnixListener;

use hilos_core::process::exit_now;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::SigSet;
use nix::sys::socket::MsgFlags;
use nix::unistd::{Pid, setsid};

use super::protocol::{self, Block, GREETING, Request};
use super::tree::Address;
use crate::shared_memory::file::{self, Removal};
use crate::sys::fds;
use crate::sys::pidfd::PidFd;

/// Removes what the processes of a tree leave behind, until the last of them has ended.
pub(crate) fn serve(listener: OwnedFd) -> ! {
    retire();
    let mut server = Server::new(listener);
    while server.root.is_some() || !server.processes.is_empty() {
        server.step();
    }
    exit_now(server.finish())
}

/// Leaves the program's session, and everything else that could end the tracker or be disturbed by
/// it.
fn retire() {
    let _ = SigSet::all().thread_block();
    let _ = setsid();
    let _ = env::set_current_dir("/");
    let _ = prctl::set_name(c"hilos-tracker");
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
    let_go(&[0, 1]);
}

/// Lets go of standard streams, so that nobody waits for their end because of the tracker.
fn let_go(numbers: &[i32]) {
    if let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        for &number in numbers {
            crate::sys::spawn::duplicate_onto(null.as_fd(), number);
        }
    }
}

struct Server {
    listener: UnixListener,
    /// The process that all others end with, while it runs.
    root: Option<PidFd>,
    /// Those that have connected, by numbers that are never used again.
    processes: BTreeMap<u64, Peer>,
    next: u64,
    /// What is to be removed in the end, or before, when the process of this number is killed.
    blocks: BTreeMap<Block, Option<u64>>,
    /// Whether there is no descriptor for another process until one is closed.
    full: bool,
}

/// A process that has connected.
struct Peer {
    /// `None` when it will say nothing more.
    socket: Option<OwnedFd>,
    /// The process itself: its sockets are closed before what it had open is free. `None` if it is
    /// gone, or not to be seen from here.
    process: Option<PidFd>,
}

impl Peer {
    /// What to wait for.
    fn watched(&self) -> Option<BorrowedFd<'_>> {
        let process = || self.process.as_ref().map(PidFd::as_fd);
        self.socket.as_ref().map(OwnedFd::as_fd).or_else(process)
    }
}

/// What there is to do.
struct Ready {
    root: bool,
    listener: bool,
    processes: Vec<u64>,
}

impl Server {
    fn new(listener: OwnedFd) -> Self {
        let listener = UnixListener::from(listener);
        let address = listener.local_addr().ok();
        let root = address.and_then(|address| Address::root(address.as_abstract_name()?));
        Self {
            listener,
            // It may have ended already.
            root: root.and_then(|pid| PidFd::open(Pid::from_raw(pid)).ok()),
            processes: BTreeMap::new(),
            next: 0,
            blocks: BTreeMap::new(),
            full: false,
        }
    }

    fn step(&mut self) {
        let ready = self.wait();
        if ready.listener {
            self.accept();
        }
        for number in ready.processes {
            self.attend_to(number);
        }
        if ready.root {
            self.root = None;
        }
    }

    /// Does what a process asks for, or sees to its end.
    fn attend_to(&mut self, number: u64) {
        let Some(peer) = self.processes.get_mut(&number) else {
            return;
        };
        match &peer.socket {
            Some(socket) => match protocol::receive(socket.as_fd()) {
                Some(request) => self.obey(number, request),
                None => {
                    peer.socket = None;
                    if peer.process.is_none() {
                        self.bury(number);
                    }
                }
            },
            None => self.bury(number),
        }
    }

    /// Waits until somebody says something, comes or goes.
    fn wait(&self) -> Ready {
        let watch = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let processes = self.processes.values().filter_map(Peer::watched);
        let mut fds: Vec<_> = processes.map(watch).collect();
        fds.extend(self.root.as_ref().map(|root| watch(root.as_fd())));
        fds.extend((!self.full).then(|| watch(self.listener.as_fd())));
        // With its signals blocked, nothing else wakes it.
        let _ = poll(&mut fds, PollTimeout::NONE);
        let mut ready = fds.iter().map(|fd| fd.any() == Some(true));
        let processes = self.processes.keys().zip(ready.by_ref());
        Ready {
            processes: processes
                .filter_map(|(&number, ready)| ready.then_some(number))
                .collect(),
            root: self.root.is_some() && ready.next() == Some(true),
            listener: ready.next() == Some(true),
        }
    }

    fn accept(&mut self) {
        let Ok((stream, _)) = self.listener.accept() else {
            self.full = true;
            return;
        };
        let socket = OwnedFd::from(stream);
        let greeted = fds::send(socket.as_fd(), GREETING, &[], MsgFlags::MSG_DONTWAIT).is_ok();
        if greeted && protocol::is_mine(&socket) {
            let pid = protocol::peer(&socket);
            let peer = Peer {
                process: pid.and_then(|pid| PidFd::open(pid).ok()),
                socket: Some(socket),
            };
            self.processes.insert(self.next, peer);
            self.next += 1;
        }
    }

    fn obey(&mut self, number: u64, request: Request) {
        match request {
            Request::Track(block) => {
                self.blocks.insert(block, Some(number));
            }
            Request::Leave(block) => {
                self.blocks.entry(block).and_modify(|owner| *owner = None);
            }
            Request::Untrack(block) => {
                self.blocks.remove(&block);
            }
        }
    }

    /// Removes what a process was using when it ended, unless others use it too.
    fn bury(&mut self, number: u64) {
        let Some(peer) = self.processes.remove(&number) else {
            return;
        };
        self.full = false;
        // What the root leaves is left by the program; it may also be about to run another.
        let pid = |process: &Option<PidFd>| process.as_ref().map(PidFd::pid);
        let is_root = self.root.is_none() || pid(&peer.process) == pid(&self.root);
        let mut removed = Vec::new();
        self.blocks.retain(|block, owner| {
            if *owner != Some(number) {
                return true;
            }
            *owner = None;
            let removal = match is_root {
                true => Removal::InUse,
                false => file::remove_unused(&block.name, block.inode, false),
            };
            if removal == Removal::Done {
                removed.push(block.clone());
            }
            removal == Removal::InUse
        });
        report(&removed, "of a process that has ended");
    }

    /// Removes what is left; returns the exit code.
    fn finish(self) -> i32 {
        drop(self.listener);
        let is_there = |block: &Block| file::is_there(&block.name, block.inode);
        let left: Vec<Block> = self.blocks.into_keys().filter(is_there).collect();
        let in_use =
            |block: &Block| file::remove_unused(&block.name, block.inode, false) == Removal::InUse;
        let used: Vec<Block> = left.iter().filter(|block| in_use(block)).cloned().collect();
        report(&left, "to clean up at shutdown");
        let_go(&[2]);
        for block in used {
            file::remove_unused(&block.name, block.inode, true);
        }
        (!left.is_empty()).into()
    }
}

/// Says what nobody has unlinked.
fn report(leaked: &[Block], which: &str) {
    if leaked.is_empty() {
        return;
    }
    let names: Vec<String> = leaked
        .iter()
        .map(|block| format!("'/{}'", block.name))
        .collect();
    let (count, names) = (leaked.len(), names.join(", "));
    let text = format!(
        "resource_tracker: There appear to be {count} leaked shared_memory objects {which}: \
         {{{names}}}\n"
    );
    let _ = io::stderr().write_all(text.as_bytes());
}
