//! `multiprocessing.managers.BaseManager`.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use hilos_core::time::Timeout;
use hilos_pickle::Object;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::args::Args;
use super::exception::Exception;
use super::launch::{self, Running};
use super::proxy::{RemoteError, RemoteManager};
use super::referent::Referent;
use super::registry::Registry;
use super::server::Server;
use super::types::Types;
use crate::connection::credentials::Credentials;
use crate::connection::security::{Context, Security};
use crate::connection::{Address, ListenAt};
use crate::error::Error;
use crate::process::Process;
use crate::start_method::StartMethod;
use crate::target::Target;

/// A server of shared objects, and the way to them: from this process, from others, from CPython.
///
/// It is made, then [`start`](Self::start)ed, which runs the server in a process of its own, or
/// [`connect`](Self::connect)ed to a server that runs already; then it makes objects there, as a
/// [`RemoteManager`], which it dereferences to. Dropping it shuts the server down that it has started.
///
/// ```
/// use std::sync::Arc;
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::managers::{Answer, Args, BaseManager, Exception, Referent};
///
/// struct MathsClass;
///
/// impl Referent for MathsClass {
///     fn type_name(&self) -> &str {
///         "MathsClass"
///     }
///     fn exposed(&self) -> &'static [&'static str] {
///         &["add", "mul"]
///     }
///     fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
///         let (x, y): (i64, i64) = args.parse()?;
///         match method {
///             "add" => Ok((x + y).into()),
///             "mul" => Ok((x * y).into()),
///             _ => Err(self.no_attribute(method)),
///         }
///     }
/// }
///
/// let mut manager = BaseManager::new();
/// manager.register("Maths", |_| Ok(Arc::new(MathsClass)));
/// manager.start()?;
/// let maths = manager.create("Maths", ())?;
/// let sum: i64 = maths.call_as("add", (4, 3))?;
/// assert_eq!(sum, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// Dereferencing panics before the manager is started or connected: CPython's `AssertionError`.
///
/// # Differences from Python
/// - `register` says how objects are made; what their proxies can do, the objects say themselves.
/// - It is stopped when it is dropped, not when it is garbage.
/// - The serializer is always pickle.
///
/// Mirrors [`multiprocessing.managers.BaseManager`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.BaseManager).
pub struct BaseManager {
    /// What its process is named after.
    pub(super) name: &'static str,
    address: Option<Address>,
    credentials: Credentials,
    method: Option<StartMethod>,
    patience: Timeout,
    /// How its connections are encrypted.
    context: Option<Context>,
    pub(super) types: Types,
    state: Mutex<State>,
    remote: OnceLock<RemoteManager>,
}

enum State {
    Initial,
    Connected,
    Started(Running),
    Shutdown,
}

impl BaseManager {
    /// A manager at a new address of this machine, with this process's key.
    pub fn new() -> Self {
        Self {
            name: "BaseManager",
            address: None,
            credentials: Credentials::new(&crate::current::authkey()),
            method: None,
            patience: 1.into(),
            context: None,
            types: Types::default(),
            state: Mutex::new(State::Initial),
            remote: OnceLock::new(),
        }
    }

    /// Says where the server listens, or shall listen; Python's `address`.
    #[must_use]
    pub fn with_address<A: Into<Address>>(mut self, address: A) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Says the key that clients must know; Python's `authkey`.
    #[must_use]
    pub fn with_authkey(mut self, authkey: &[u8]) -> Self {
        self.credentials.set_authkey(authkey);
        self
    }

    /// Whether the two sides may prove by MD5 that they know the key, as CPython before 3.12 only can:
    /// they may unless this says no.
    ///
    /// It holds for the server that the manager starts or makes, for the manager's own connections and
    /// for those of its proxies.
    #[must_use]
    pub fn with_md5(mut self, allowed: bool) -> Self {
        self.credentials.set_md5(allowed);
        self
    }

    /// Encrypts all connections; with the feature `ssl`, between programs of hilos's.
    ///
    /// A manager that [`get_server`](Self::get_server) makes a server of shows the context's certificate,
    /// and asks for its clients' if the context is to verify; one that [`connect`](Self::connect)s checks
    /// that of the server, in which the address's host has to be.
    #[cfg(feature = "ssl")]
    #[must_use]
    pub fn with_ssl(mut self, context: &hilos_ssl::SslContext) -> Self {
        self.context = Some(context.clone());
        self
    }

    /// Says how the server's process is started; in Python the context's `ctx`.
    #[must_use]
    pub fn with_start_method(mut self, method: StartMethod) -> Self {
        self.method = Some(method);
        self
    }

    /// How long the server's process may take to end before it is terminated, and then again before it
    /// is killed: one second unless this says so.
    #[must_use]
    pub fn with_shutdown_timeout<T: Into<Timeout>>(mut self, timeout: T) -> Self {
        self.patience = timeout.into();
        self
    }

    /// Has objects of a type be made by a function, which captures nothing: it goes to the server's
    /// process. For a server in this process see also [`Server::register`].
    pub fn register<R, F>(&mut self, typeid: &str, make: F)
    where
        R: Referent,
        F: Fn(&Args<'_>) -> Result<Arc<R>, Exception> + Copy + Send + Sync + 'static,
    {
        let typeid = typeid.to_owned();
        self.types.add(
            move |types, typeid: String| types.add(&typeid, make),
            typeid,
        );
    }

    /// Lets clients name a function, with its module, where Python would import it: for a pool's jobs, a
    /// list's `sort`, a barrier's action. As for [`register`](Self::register) it captures nothing.
    ///
    /// Some of Python's own are known from the start, `abs` and `sum` and `operator.add` among them.
    pub fn register_function<R, F>(&mut self, name: &str, function: F)
    where
        R: Into<Object>,
        F: Fn(&Args<'_>) -> Result<R, Exception> + Copy + Send + Sync + 'static,
    {
        let name = name.to_owned();
        let add = move |types: &mut Registry, name: String| types.add_function(&name, function);
        self.types.add(add, name);
    }

    /// Starts the server in a process of its own.
    ///
    /// # Errors
    /// [`Error::Process`] if it was started before, [`Error::Os`] if the server cannot listen there or
    /// the process cannot be started, [`Error::Value`] if its connections are encrypted: the two sides
    /// then need contexts of their own.
    ///
    /// # Blocking
    /// Until the server listens.
    pub fn start(&self) -> Result<(), Error> {
        self.start_with(|| {}, ())
    }

    /// Like [`start`](Self::start), where the server's process first calls a function; Python's
    /// `initializer` and `initargs`.
    ///
    /// # Errors
    /// Those of `start`, and [`Error::Runtime`] if the function fails.
    pub fn start_with<F, A>(&self, initializer: F, args: A) -> Result<(), Error>
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let mut state = self.state.lock();
        state.check_initial()?;
        if self.context.is_some() {
            let text = "with ssl, a server is made by get_server, and its clients connect";
            return Err(Error::Value(text.into()));
        }
        let at = (self.address.clone(), self.credentials.clone());
        let running = launch::start(self.name, self.method, at, &self.types, (initializer, args))?;
        match self.reach(running.address()) {
            Ok(()) => *state = State::Started(running),
            Err(error) => {
                running.finish(None, self.patience);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Connects to a server that runs already, at the manager's address; one that this manager has started
    /// remains its own.
    ///
    /// # Errors
    /// [`Error::Value`] if the manager has no address, [`Error::Authentication`] if the keys differ,
    /// [`Error::Os`] if nobody listens there, [`Error::Timeout`] if whoever does keeps silent.
    ///
    /// # Blocking
    /// For 30 seconds at most.
    pub fn connect(&self) -> Result<(), Error> {
        let address = self.address();
        let address = address.ok_or_else(|| Error::Value("the manager has no address".into()))?;
        self.reach(&address)?;
        let mut state = self.state.lock();
        if !matches!(*state, State::Started(_)) {
            *state = State::Connected;
        }
        Ok(())
    }

    fn reach(&self, address: &Address) -> Result<(), Error> {
        let security = Security::client(self.context.as_ref())?;
        let remote = RemoteManager::join(address.clone(), self.credentials.clone(), security, None);
        let _ = self.remote.set(remote.map_err(|error| match error {
            RemoteError::Connection(error) => error,
            RemoteError::Unanswered => Error::Timeout,
            other => Error::Runtime(other.to_string()),
        })?);
        Ok(())
    }

    /// A server in this process, for a program that is itself the server.
    ///
    /// # Errors
    /// [`Error::Process`] if the manager was started, [`Error::Os`] if the address is in use.
    pub fn get_server(&self) -> Result<Server, Error> {
        self.state.lock().check_initial()?;
        let address = ListenAt::from(self.address.clone());
        let security = Security::server(self.context.as_ref())?;
        Server::new(
            address,
            self.credentials.clone(),
            security,
            self.types.here(),
        )
    }

    /// Ends the server's process, if this manager has started it; does nothing the second time.
    ///
    /// # Blocking
    /// Until the process has ended, which takes no longer than two
    /// [timeouts](Self::with_shutdown_timeout).
    pub fn shutdown(&self) {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Shutdown) {
            State::Started(running) => running.finish(self.remote.get(), self.patience),
            other => *state = other,
        }
    }

    /// Waits until the server's process has ended, or `timeout` has passed.
    ///
    /// # Errors
    /// [`Error::Assertion`] in a copy of the process.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> Result<(), Error> {
        match self.process() {
            Some(process) => process.join(timeout.into()),
            None => Ok(()),
        }
    }

    /// The server's process, if this manager has started one and has not shut it down.
    pub fn process(&self) -> Option<Process> {
        match &*self.state.lock() {
            State::Started(running) => Some(running.process().clone()),
            _ => None,
        }
    }

    /// Starts the manager unless it is, calls `f` and shuts it down, also when `f` panics: Python's
    /// `with manager:`.
    ///
    /// # Errors
    /// Those of [`start`](Self::start), except that it may be started already.
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> Result<R, Error> {
        struct Guard<'a>(&'a BaseManager);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                self.0.shutdown();
            }
        }
        if !self.is_started() {
            self.start()?;
        }
        let guard = Guard(self);
        Ok(f(guard.0))
    }

    fn is_started(&self) -> bool {
        matches!(*self.state.lock(), State::Started(_) | State::Connected)
    }

    /// Where the server listens, as soon as that is known.
    pub fn address(&self) -> Option<Address> {
        let remote = self.remote.get().map(RemoteManager::address);
        remote.or(self.address.as_ref()).cloned()
    }
}

impl State {
    fn check_initial(&self) -> Result<(), Error> {
        match self {
            Self::Initial => Ok(()),
            Self::Connected | Self::Started(_) => Err(Error::Process("Already started server")),
            Self::Shutdown => Err(Error::Process("Manager has shut down")),
        }
    }
}

impl Deref for BaseManager {
    type Target = RemoteManager;

    fn deref(&self) -> &RemoteManager {
        self.remote.get().expect("server not yet started")
    }
}

impl Default for BaseManager {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for BaseManager {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for BaseManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.state.lock() {
            State::Initial => "initial",
            State::Connected => "connected",
            State::Started(_) => "started",
            State::Shutdown => "shut down",
        };
        // Not the key.
        write!(f, "<{} {state}>", self.name)
    }
}
