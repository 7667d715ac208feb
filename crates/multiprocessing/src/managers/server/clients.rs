//! The processes that have references, so that those of one that dies are taken back.
//!
//! CPython's server does not know them: what a killed client had stays for ever.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use hilos_core::time::Deadline;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::unistd::Pid;
use parking_lot::Mutex;

use crate::connection::Address;
use crate::sys::pidfd::{PidFd, hung_up};

/// The clients that come over Unix sockets; of others the system does not say who they are.
#[derive(Default)]
pub(super) struct Clients(Mutex<Known>);

#[derive(Default)]
struct Known {
    clients: HashMap<u64, Client>,
    last: u64,
}

struct Client {
    process: PidFd,
    /// The connections that it has made. A child that it has forked may still use them.
    connections: Vec<Arc<OwnedFd>>,
    /// How often it refers to which objects.
    references: HashMap<String, isize>,
}

impl Client {
    fn has_ended(&self) -> bool {
        self.process.wait(Deadline::PAST)
    }

    /// Whether nobody is left who could take its references back. A thread of the server's may not have
    /// noticed: it waits for an item of a queue, say, which then goes to nobody.
    fn is_gone(&self) -> bool {
        let left = |connection: &Arc<OwnedFd>| hung_up(connection.as_fd(), Deadline::PAST);
        self.has_ended() && self.connections.iter().all(left)
    }
}

impl Clients {
    /// The number of the process at the other end of a connection, unless it is this one or unknown.
    pub(super) fn arrive(&self, socket: &Arc<OwnedFd>, address: &Address) -> Option<u64> {
        if matches!(address, Address::Inet(..)) {
            return None;
        }
        let credentials = getsockopt(&**socket, PeerCredentials).ok()?;
        let pid = Pid::from_raw(credentials.pid());
        if pid.as_raw() <= 0 || pid == Pid::this() {
            return None;
        }
        let mut known = self.0.lock();
        let mut same = known.clients.iter_mut();
        // The system gives the pid of one that has ended to another.
        let same = same.find(|(_, client)| client.process.pid() == pid && !client.has_ended());
        if let Some((number, client)) = same {
            client.connections.push(socket.clone());
            return Some(*number);
        }
        let client = Client {
            process: PidFd::open(pid).ok()?,
            connections: vec![socket.clone()],
            references: HashMap::new(),
        };
        known.last += 1;
        let number = known.last;
        known.clients.insert(number, client);
        Some(number)
    }

    /// Counts references of a client's to an object, or takes them back.
    pub(super) fn count(&self, number: Option<u64>, ident: &str, change: isize) {
        let mut known = self.0.lock();
        let Some(client) = number.and_then(|number| known.clients.get_mut(&number)) else {
            return;
        };
        let count = client.references.entry(ident.to_owned()).or_default();
        *count += change;
        if *count == 0 {
            client.references.remove(ident);
        }
    }

    /// Says that a connection has ended. Returns what those refer to who are gone, as often as they do.
    pub(super) fn leave(&self, number: Option<u64>, socket: &Arc<OwnedFd>) -> Vec<String> {
        let mut known = self.0.lock();
        if let Some(client) = number.and_then(|number| known.clients.get_mut(&number)) {
            client
                .connections
                .retain(|other| !Arc::ptr_eq(other, socket));
        }
        let gone = known.clients.extract_if(|_, client| {
            let has_nothing = client.connections.is_empty() && client.references.is_empty();
            has_nothing || client.is_gone()
        });
        let references = gone.flat_map(|(_, client)| client.references);
        let each = |(ident, count): (String, isize)| {
            std::iter::repeat_n(ident, usize::try_from(count).unwrap_or(0))
        };
        references.flat_map(each).collect()
    }
}
