//! A thread for each connection.

use std::collections::HashMap;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::socket::{Shutdown, shutdown};
use parking_lot::Mutex;

use super::line::Line;
use super::{Shared, functions};
use crate::LOGGER;
use crate::connection::Connection;
use crate::error::Error;

/// The connections that are open.
#[derive(Default)]
pub(super) struct Handlers {
    open: Mutex<HashMap<u64, Connection>>,
    last: AtomicU64,
}

impl Handlers {
    fn add(&self, connection: &Connection) -> u64 {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.open.lock().insert(number, connection.clone());
        number
    }

    fn remove(&self, number: u64) {
        self.open.lock().remove(&number);
    }

    /// Ends every connection, so that the threads that read from them end, too.
    pub(super) fn hang_up(&self) {
        for connection in self.open.lock().values() {
            if let Ok(fd) = connection.fd() {
                let _ = shutdown(fd.as_raw_fd(), Shutdown::Both);
            }
        }
    }
}

/// Serves a new connection in a thread of its own.
pub(super) fn handle(shared: Arc<Shared>, connection: Connection) {
    let number = shared.handlers.add(&connection);
    let thread = {
        let shared = shared.clone();
        std::thread::Builder::new()
            .name("manager".into())
            .spawn(move || {
                if let Err(error) = serve(&shared, &connection) {
                    tracing::info!(target: LOGGER, "manager: a connection has ended: {error}");
                }
                connection.close();
                shared.handlers.remove(number);
            })
    };
    if thread.is_err() {
        shared.handlers.remove(number);
    }
}

fn serve(shared: &Shared, connection: &Connection) -> Result<(), Error> {
    let line = Line::new(connection.clone(), shared.listener.address())?;
    line.shake_hands(&shared.credentials, &shared.security)?;
    let socket = connection.fd()?;
    let client = shared.clients.arrive(&socket, shared.listener.address());
    let result = functions::serve(shared, &line, client);
    for ident in shared.clients.leave(client, &socket) {
        // Somebody else may have taken it back.
        let _ = shared.home.objects.decref(&ident);
    }
    result
}
