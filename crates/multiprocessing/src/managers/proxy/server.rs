//! A manager's server, as its proxies here know it.

use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hilos_core::time::Deadline;
use hilos_pickle::Object;

use super::answer;
use super::error::RemoteError;
use super::known::known;
use super::link;
use super::silence::Silence;
use crate::connection::credentials::Credentials;
use crate::connection::security::Security;
use crate::connection::{Address, Connection, client_until, send_until};
use crate::managers::message::{Request, encode};

/// How long a server may take for what is no method of an object's: it has nothing to wait for.
const PATIENCE: Duration = Duration::from_secs(30);

thread_local! {
    /// This thread's [`PATIENCE`].
    static LIMIT: Cell<Duration> = const { Cell::new(PATIENCE) };
}

/// Has this thread wait no longer for what servers do themselves: for tests, which have less time.
pub fn set_patience(limit: Duration) {
    LIMIT.set(limit);
}

/// A longer request may fill the system's buffer, so that sending has to wait.
const LONG: usize = 16 * 1024;

/// Where a server is, and the key that it wants; all proxies of a server share it.
pub(crate) struct Server {
    address: Address,
    credentials: Credentials,
    security: Security,
    pub(super) silence: Silence,
}

impl Server {
    /// The server at an address.
    pub(super) fn new(address: Address, credentials: Credentials, security: Security) -> Arc<Self> {
        let right = |known: &Self| known.credentials == credentials && known.security == security;
        Self::find(&address, right).unwrap_or_else(|| Self::add(address, credentials, security))
    }

    /// A server that this process must have connected to before: by itself it does not know how.
    pub(super) fn encrypted(address: &Address) -> Result<Arc<Self>, RemoteError> {
        let unknown = || {
            let text = "is reached by ssl: connect to it in this process before";
            RemoteError::conversion(format_args!("the manager at {address} {text}"))
        };
        Self::find(address, Self::is_encrypted).ok_or_else(unknown)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.security.is_on()
    }

    /// A server that somebody else has told of: its key is the one that was used for it before, or
    /// else this process's, as in CPython.
    pub(super) fn heard_of(address: Address) -> Arc<Self> {
        Self::find(&address, |_| true).unwrap_or_else(|| {
            let credentials = Credentials::new(&crate::current::authkey());
            Self::add(address, credentials, Security::default())
        })
    }

    fn find(address: &Address, right: impl Fn(&Self) -> bool) -> Option<Arc<Self>> {
        let known = known();
        let mut servers = known.servers.iter().rev().filter_map(Weak::upgrade);
        servers.find(|server| server.address == *address && right(server))
    }

    fn add(address: Address, credentials: Credentials, security: Security) -> Arc<Self> {
        let server = Arc::new(Self {
            address,
            credentials,
            security,
            silence: Silence::new(),
        });
        let mut known = known();
        known.servers.retain(|server| server.strong_count() > 0);
        known.servers.push(Arc::downgrade(&server));
        server
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Asks the server itself for something at which nobody waits, on a connection of its own.
    pub(super) fn ask<A>(
        &self,
        method: &str,
        args: A,
        deadline: Deadline,
    ) -> Result<Object, RemoteError>
    where
        A: IntoIterator<Item = Object>,
    {
        self.request(&Request::new(method, args), soon(deadline))
            .map(|(value, _)| value)
    }

    /// A connection on which calls of objects are served.
    pub(super) fn serve(&self, deadline: Deadline) -> Result<Connection, RemoteError> {
        let name = [Object::from(link::name())];
        let request = Request::new("accept_connection", name);
        self.request(&request, soon(deadline))
            .map(|(_, connection)| connection)
    }

    /// Sends a request on a new connection.
    pub(super) fn request(
        &self,
        request: &Request,
        deadline: Deadline,
    ) -> Result<(Object, Connection), RemoteError> {
        let request = encode(request)?;
        let connection = self.connect(deadline)?;
        let reply = self.exchange(&connection, &request, deadline)?;
        Ok((answer::value(answer::decode(&reply)?)?, connection))
    }

    /// Sends a request and waits for the reply to it.
    pub(super) fn exchange(
        &self,
        connection: &Connection,
        request: &[u8],
        deadline: Deadline,
    ) -> Result<Vec<u8>, RemoteError> {
        let reply = exchange(connection, request, deadline)?;
        self.silence.end();
        Ok(reply)
    }

    fn connect(&self, deadline: Deadline) -> Result<Connection, RemoteError> {
        let (credentials, security) = (&self.credentials, &self.security);
        let connection = client_until(&self.address, credentials, security, soon(deadline));
        Ok(connection?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        link::forget_lost();
    }
}

/// This deadline, or that of the server's own doings if it comes first.
fn soon(deadline: Deadline) -> Deadline {
    deadline.at_most(LIMIT.get())
}

fn exchange(
    connection: &Connection,
    request: &[u8],
    deadline: Deadline,
) -> Result<Vec<u8>, RemoteError> {
    let limited = request.len() > LONG && !deadline.is_never();
    if limited {
        send_until(&*connection.fd()?, deadline)?;
    }
    connection.send_bytes(request).map_err(late)?;
    if limited {
        send_until(&*connection.fd()?, Deadline::NEVER)?;
    }
    Ok(connection.recv_bytes_until(usize::MAX, deadline)?)
}

/// What a socket says when the other side has not read in time.
fn late(error: crate::Error) -> RemoteError {
    match &error {
        crate::Error::Os(os) if os.kind() == std::io::ErrorKind::WouldBlock => {
            RemoteError::Unanswered
        }
        _ => error.into(),
    }
}
