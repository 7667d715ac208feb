//! A manager that another process serves.

use std::fmt;
use std::sync::Arc;

use hilos_core::time::Timeout;
use hilos_pickle::Object;
use serde::Serialize;

use super::arguments::{arguments, keywords};
use super::error::RemoteError;
use super::server::Server;
use super::untyped::Proxy;
use crate::connection::Address;
use crate::connection::credentials::Credentials;
use crate::connection::security::Security;
use crate::managers::message::Request;
use crate::managers::token::{Token, names_from};

/// A manager whose server runs elsewhere, CPython's or hilos's: it makes objects there.
///
/// Use it to join what another program shares, on this machine or another. A
/// [`SyncManager`](crate::managers::SyncManager) that this program has started is one, too. A handle:
/// clones are the same manager.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::managers::{RemoteManager, SyncManager};
///
/// let server = SyncManager::new().with_authkey(b"secret");
/// server.start()?;
///
/// let manager = RemoteManager::connect(server.address().unwrap(), b"secret")?.with_timeout(10);
/// let squares = manager.list((0..3).map(|n| n * n))?;
/// assert_eq!(squares.to_vec()?, [0, 1, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Differences from Python
/// - It connects as it is made: there, a `BaseManager(address, authkey)` that
///   [`connect`](Self::connect)s.
/// - Types need no `register` here: [`create`](Self::create) makes one by its typeid, and the proxies
///   of a manager's own types are made of what it returns, as in
///   `QueueProxy::<i64>::from(manager.create("get_queue", ())?)`.
/// - The key never travels, and `Debug` does not show it.
///
/// Mirrors [`multiprocessing.managers.BaseManager`](https://docs.python.org/3.14/library/multiprocessing.html#using-a-remote-manager).
#[derive(Clone)]
pub struct RemoteManager {
    server: Arc<Server>,
    patience: Timeout,
}

impl RemoteManager {
    /// Connects to a manager's server, which the key must be right for.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if nobody listens there or the keys differ,
    /// [`RemoteError::Unanswered`] if whoever listens there keeps silent.
    ///
    /// # Blocking
    /// For 30 seconds at most.
    pub fn connect<A: Into<Address>>(address: A, authkey: &[u8]) -> Result<Self, RemoteError> {
        Self::connect_timeout(address, authkey, None)
    }

    /// Like [`connect`](Self::connect), and gives up after `timeout`, which then holds for each
    /// call of the manager and its proxies.
    ///
    /// # Errors
    /// As `connect`.
    pub fn connect_timeout<A, D>(
        address: A,
        authkey: &[u8],
        timeout: D,
    ) -> Result<Self, RemoteError>
    where
        A: Into<Address>,
        D: Into<Timeout>,
    {
        let credentials = Credentials::new(authkey);
        Self::join(address.into(), credentials, Security::default(), timeout)
    }

    /// Like [`connect`](Self::connect), where neither side may prove by MD5 that it knows the key, as
    /// CPython before 3.12 only can.
    ///
    /// # Errors
    /// As `connect`, also if the server knows only MD5.
    pub fn connect_without_md5<A: Into<Address>>(
        address: A,
        authkey: &[u8],
    ) -> Result<Self, RemoteError> {
        let credentials = Credentials::new(authkey).without_md5();
        Self::join(address.into(), credentials, Security::default(), None)
    }

    /// Like [`connect`](Self::connect), to a server that
    /// [encrypts](crate::managers::BaseManager::with_ssl); with the feature `ssl`.
    ///
    /// # Errors
    /// As `connect`, also if the server is not who it should be.
    #[cfg(feature = "ssl")]
    pub fn connect_with_ssl<A: Into<Address>>(
        address: A,
        authkey: &[u8],
        context: &hilos_ssl::SslContext,
    ) -> Result<Self, RemoteError> {
        let security = Security::client(Some(context))?;
        Self::join(address.into(), Credentials::new(authkey), security, None)
    }

    pub(crate) fn join<D: Into<Timeout>>(
        address: Address,
        credentials: Credentials,
        security: Security,
        timeout: D,
    ) -> Result<Self, RemoteError> {
        let manager = Self {
            server: Server::new(address, credentials, security),
            patience: timeout.into(),
        };
        manager.ask("dummy")?;
        Ok(manager)
    }

    /// The same manager, which has to answer each call within `timeout`, as have its proxies.
    ///
    /// More than 30 seconds are only of use for what the program's own code does in the server: methods,
    /// and the making of objects.
    #[must_use]
    pub fn with_timeout<T: Into<Timeout>>(&self, timeout: T) -> Self {
        Self {
            server: self.server.clone(),
            patience: timeout.into(),
        }
    }

    /// Where its server is.
    pub fn address(&self) -> &Address {
        self.server.address()
    }

    /// Makes an object of a registered type.
    ///
    /// # Errors
    /// [`RemoteError::Traceback`] if there is no such type, or what its making raised;
    /// [`RemoteError::Unanswered`] if that takes longer than [`with_timeout`](Self::with_timeout) allows.
    ///
    /// # Blocking
    /// Until the object is made, for ever if nothing limits it: its constructor may be the program's own.
    pub fn create<A: Serialize>(&self, typeid: &str, args: A) -> Result<Proxy, RemoteError> {
        self.create_with(typeid, args, ())
    }

    /// Makes an object of a registered type with keyword arguments, a map, a struct or `()`.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    ///
    /// # Blocking
    /// As there.
    pub fn create_with<A, K>(&self, typeid: &str, args: A, kwargs: K) -> Result<Proxy, RemoteError>
    where
        A: Serialize,
        K: Serialize,
    {
        let typed = std::iter::once(Object::from(typeid)).chain(arguments(&args)?);
        let mut request = Request::new("create", typed);
        request.kwds = keywords(&kwargs)?;
        let deadline = self.patience.deadline();
        let (reply, _) = self.server.request(&request, deadline)?;
        let (ident, exposed): (String, Object) = hilos_pickle::from_object(&reply)?;
        let exposed = names_from(&exposed).map_err(RemoteError::conversion)?;
        let token = Token::new(typeid, self.address().clone(), ident);
        Ok(Proxy::counted(
            self.server.clone(),
            token,
            exposed,
            self.patience,
        ))
    }

    /// How many objects the server has.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone, [`RemoteError::Unanswered`] if it is silent.
    ///
    /// # Blocking
    /// For 30 seconds at most.
    pub fn number_of_objects(&self) -> Result<usize, RemoteError> {
        usize::try_from(&self.ask("number_of_objects")?).map_err(RemoteError::conversion)
    }

    /// What the server says of its objects, for looking at.
    ///
    /// # Errors
    /// [`RemoteError::Connection`] if the server is gone, [`RemoteError::Unanswered`] if it is silent.
    ///
    /// # Blocking
    /// For 30 seconds at most.
    pub fn debug_info(&self) -> Result<String, RemoteError> {
        Ok(self.ask("debug_info")?.to_string())
    }

    pub(crate) fn ask(&self, method: &str) -> Result<Object, RemoteError> {
        self.server.ask(method, [], self.patience.deadline())
    }
}

impl fmt::Debug for RemoteManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key.
        write!(f, "<RemoteManager at {}>", self.address())
    }
}
