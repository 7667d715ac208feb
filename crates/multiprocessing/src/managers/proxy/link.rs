//! The connections over which this thread calls objects: one for each server, as in CPython, where a
//! server's lock belongs to the connection that has acquired it.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use hilos_core::time::Deadline;

use super::error::RemoteError;
use super::server::Server;
use crate::connection::Connection;

struct Link {
    server: Weak<Server>,
    connection: Connection,
    /// After a fork the connection is the parent's.
    pid: u32,
}

thread_local! {
    static LINKS: RefCell<Vec<Link>> = const { RefCell::new(Vec::new()) };
}

/// Sends a request of this process, whose number is `pid`, and returns the reply.
///
/// The connection is given up if it fails or is late: a reply that comes later would be taken for
/// that of the next request.
pub(super) fn call(
    server: &Arc<Server>,
    pid: u32,
    request: &[u8],
    deadline: Deadline,
) -> Result<Vec<u8>, RemoteError> {
    let connection = connection(server, pid, deadline)?;
    let reply = server.exchange(&connection, request, deadline);
    if reply.is_err() {
        forget(|link| link.is_with(server));
    }
    reply
}

fn connection(
    server: &Arc<Server>,
    pid: u32,
    deadline: Deadline,
) -> Result<Connection, RemoteError> {
    if let Some(connection) = existing(server, pid) {
        return Ok(connection);
    }
    let link = Link {
        server: Arc::downgrade(server),
        connection: server.serve(deadline)?,
        pid,
    };
    let connection = link.connection.clone();
    // A thread that is ending keeps none.
    let _ = LINKS.try_with(|links| links.borrow_mut().push(link));
    Ok(connection)
}

fn existing(server: &Arc<Server>, pid: u32) -> Option<Connection> {
    let found = LINKS.try_with(|links| {
        let links = links.borrow();
        let link = links.iter().find(|link| link.is_with(server))?;
        Some((link.connection.clone(), link.pid))
    });
    match found.ok()?? {
        (connection, owner) if owner == pid => Some(connection),
        _ => {
            forget(|link| link.pid != pid);
            None
        }
    }
}

/// Closes the connections with servers that nothing here belongs to any more.
pub(super) fn forget_lost() {
    forget(|link| link.server.strong_count() == 0);
}

fn forget(which: impl Fn(&Link) -> bool) {
    let _ = LINKS.try_with(|links| links.borrow_mut().retain(|link| !which(link)));
}

impl Link {
    fn is_with(&self, server: &Arc<Server>) -> bool {
        std::ptr::eq(self.server.as_ptr(), Arc::as_ptr(server))
    }
}

/// What the server calls the thread that serves this one.
pub(super) fn name() -> String {
    let process = crate::current_process();
    match std::thread::current().name() {
        None | Some("main") => process.name().to_owned(),
        Some(thread) => format!("{}|{thread}", process.name()),
    }
}
