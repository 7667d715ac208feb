//! `multiprocessing.connection.Listener`.

use std::fmt;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hilos_core::time::{Deadline, Timeout};
use parking_lot::{Mutex, RwLock};

use super::address::{Address, Family};
use super::credentials::Credentials;
use super::endpoint::Connection;
use super::security::Security;
use super::socket::Socket;
use crate::error::Error;
use crate::sys::pidfd::readable;

/// Waits for connections from other programs, CPython's among them.
///
/// Use it to talk with a program that this one has not started. What comes and goes as bytes is as in
/// CPython, and so is the proof that both sides know the same key.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::connection::{Listener, client};
///
/// let listener = Listener::new(("localhost", 0))?.with_authkey(b"secret");
/// let address = listener.address().clone();
/// let caller = std::thread::spawn(move || {
///     let connection = client(address, Some(b"secret"))?;
///     connection.send_bytes(b"hello")
/// });
/// let connection = listener.accept()?;
/// assert_eq!(connection.recv_bytes()?, b"hello");
/// caller.join().unwrap()?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - `Listener()` is [`Listener::new(None)`](Self::new).
/// - A caller that connects and says nothing is dropped after
///   [a while](Self::with_handshake_timeout), so that it does not block the others for ever.
/// - Values sent with [`send`](Connection::send) are in postcard's encoding: between hilos and CPython
///   send bytes, or pickles by `send_object` and `recv_object`.
///
/// Mirrors [`multiprocessing.connection.Listener`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.connection.Listener).
pub struct Listener {
    /// `None` once it is closed.
    socket: RwLock<Option<Arc<Socket>>>,
    address: Address,
    last_accepted: Mutex<Option<Address>>,
    credentials: Credentials,
    security: Security,
    patience: Duration,
    /// What was made for it in the file system.
    path: Option<PathBuf>,
    /// A directory that was made for `path`.
    directory: Option<PathBuf>,
    /// Whose the socket's file is: a child that the process forks has a copy of this, and not of that.
    owner: u32,
}

impl Listener {
    /// Listens at an address; `None`, or an empty one, is a new Unix socket that only this user can reach.
    ///
    /// # Errors
    /// [`Error::Os`] if the address is in use or cannot be listened at.
    pub fn new<A: Into<ListenAt>>(address: A) -> Result<Self, Error> {
        let ListenAt(wanted) = address.into();
        let wanted = wanted.filter(|wanted| *wanted != Address::Unix(PathBuf::new()));
        let own = wanted.is_none();
        let wanted = wanted.map_or_else(|| Address::arbitrary(Family::Unix), Ok)?;
        wanted.check()?;
        let socket = Socket::bind(&wanted)?;
        socket.set_nonblocking()?;
        let path = match &wanted {
            Address::Unix(path) => Some(path.clone()),
            _ => None,
        };
        let directory = path
            .as_deref()
            .filter(|_| own)
            .and_then(|path| path.parent());
        Ok(Self {
            address: socket.address(wanted.clone())?,
            directory: directory.map(Into::into),
            path,
            owner: std::process::id(),
            socket: RwLock::new(Some(Arc::new(socket))),
            last_accepted: Mutex::new(None),
            credentials: Credentials::default(),
            security: Security::default(),
            patience: Duration::from_secs(30),
        })
    }

    /// Accepts only callers that know this key, and proves to them that this side does.
    #[must_use]
    pub fn with_authkey(mut self, authkey: &[u8]) -> Self {
        self.credentials.set_authkey(authkey);
        self
    }

    /// Whether callers may prove by MD5 that they know the key, as CPython before 3.12 only can: they
    /// may unless this says no.
    ///
    /// Say no where every caller is hilos or a newer CPython: SHA-256 and its like are left.
    #[must_use]
    pub fn with_md5(mut self, allowed: bool) -> Self {
        self.credentials.set_md5(allowed);
        self
    }

    /// Encrypts its connections, which therefore only hilos's
    /// [`client_with_ssl`](super::client_with_ssl) calls; with the feature `ssl`.
    ///
    /// If the context is to verify, callers have to show a certificate that it believes.
    ///
    /// # Errors
    /// [`Error::Os`] with an [`SslError`](hilos_ssl::SslError) if the context has no certificate,
    /// [`Error::Value`] if the listener is not one of a network.
    #[cfg(feature = "ssl")]
    pub fn with_ssl(mut self, context: &hilos_ssl::SslContext) -> Result<Self, Error> {
        if self.address.family() == Family::Unix {
            let text = "only connections over a network are encrypted";
            return Err(Error::Value(text.into()));
        }
        self.security = Security::server(Some(context))?;
        Ok(self)
    }

    /// How many callers may wait to be accepted; Python's `backlog`.
    ///
    /// # Errors
    /// [`Error::Os`] if the system refuses.
    pub fn with_backlog(self, backlog: i32) -> Result<Self, Error> {
        let backlog = nix::sys::socket::Backlog::new(backlog).map_err(Error::from)?;
        nix::sys::socket::listen(&*self.socket()?, backlog)?;
        Ok(self)
    }

    /// How long a caller may take to prove that it knows the key: 30 seconds unless this says so.
    #[must_use]
    pub const fn with_handshake_timeout(mut self, timeout: Duration) -> Self {
        self.patience = timeout;
        self
    }

    /// Waits for a caller.
    ///
    /// # Errors
    /// [`Error::Authentication`] if the caller does not know the key, [`Error::Timeout`] if it
    /// does not say, [`Error::Eof`] if it leaves before; the listener goes on. [`Error::Os`] if the
    /// listener is closed.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn accept(&self) -> Result<Connection, Error> {
        self.accept_until(Deadline::NEVER)
    }

    /// Like [`accept`](Self::accept), and gives up after `timeout`, also on a caller that has not proved yet
    /// that it knows the key.
    ///
    /// # Errors
    /// Those of `accept`, and [`Error::Timeout`].
    pub fn accept_timeout<T: Into<Timeout>>(&self, timeout: T) -> Result<Connection, Error> {
        self.accept_until(timeout.into().deadline())
    }

    fn accept_until(&self, deadline: Deadline) -> Result<Connection, Error> {
        let (connection, caller) = self.next_caller(deadline)?;
        *self.last_accepted.lock() = caller;
        let deadline = deadline.at_most(self.patience);
        self.security.accept(&connection, deadline)?;
        self.credentials.accept(&connection, deadline)?;
        Ok(connection)
    }

    fn next_caller(&self, deadline: Deadline) -> Result<(Connection, Option<Address>), Error> {
        loop {
            // Anew each time, since it may be closed meanwhile.
            let socket = self.socket()?;
            if !readable(socket.as_fd(), deadline) {
                return Err(Error::Timeout);
            }
            match socket.accept() {
                // Another thread has been faster, or the caller has left.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                accepted => return Ok(accepted?),
            }
        }
    }

    /// Where it listens, with the port that the system has chosen.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where the last caller called from, as far as the system tells.
    pub fn last_accepted(&self) -> Option<Address> {
        self.last_accepted.lock().clone()
    }

    /// Listens no more, and removes its Unix socket.
    pub fn close(&self) {
        let was_open = self.socket.write().take().is_some();
        if !was_open || self.owner != std::process::id() {
            return;
        }
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir(directory);
        }
    }

    /// Closes it: whoever waits for one in [`accept`](Self::accept) is told so.
    #[cfg(feature = "pickle")]
    pub(crate) fn hang_up(&self) {
        if let Ok(socket) = self.socket() {
            use std::os::fd::AsRawFd;

            use nix::sys::socket::{Shutdown, shutdown};
            // Before the shutdown, which wakes whoever waits to find it so.
            self.close();
            let _ = shutdown(socket.as_fd().as_raw_fd(), Shutdown::Both);
        }
    }

    fn socket(&self) -> Result<Arc<Socket>, Error> {
        let socket = self.socket.read().clone();
        socket.ok_or_else(|| Error::os("listener is closed"))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key.
        write!(f, "<Listener at {}>", self.address)
    }
}

/// Where to listen: an [`Address`], or `None`.
#[derive(Clone, Debug)]
pub struct ListenAt(Option<Address>);

impl<A: Into<Address>> From<A> for ListenAt {
    fn from(address: A) -> Self {
        Self(Some(address.into()))
    }
}

impl From<Option<Address>> for ListenAt {
    fn from(address: Option<Address>) -> Self {
        Self(address)
    }
}
