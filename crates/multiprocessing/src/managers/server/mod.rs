//! The server of a manager, which clients of CPython's take for one of theirs.

mod clients;
mod functions;
mod handler;
mod held;
mod home;
mod line;
mod objects;
mod search;
mod session;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hilos_pickle::Object;
use hilos_threading::Event;

use self::clients::Clients;
use self::handler::Handlers;
pub(crate) use self::home::Home;
pub(crate) use self::line::Line;
use super::args::Args;
use super::exception::Exception;
use super::referent::Referent;
use super::registry::Registry;
use crate::LOGGER;
use crate::connection::credentials::Credentials;
use crate::connection::security::Security;
use crate::connection::{Address, ListenAt, Listener};
use crate::error::Error;

/// Holds shared objects and serves the proxies that call them.
///
/// [`BaseManager::get_server`](super::BaseManager::get_server) makes one, for a program that is itself
/// the server; [`BaseManager::start`](super::BaseManager::start) runs one in a process of its own.
/// A handle: clones are the same server.
///
/// Mirrors the object that [`BaseManager.get_server`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.managers.BaseManager.get_server)
/// returns.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

/// What the threads of a server share.
struct Shared {
    listener: Listener,
    credentials: Credentials,
    security: Security,
    home: Arc<Home>,
    handlers: Handlers,
    clients: Clients,
    stop: Event,
}

impl Server {
    pub(crate) fn new(
        address: ListenAt,
        credentials: Credentials,
        security: Security,
        registry: Registry,
    ) -> Result<Self, Error> {
        let listener = Listener::new(address)?.with_backlog(128)?;
        let home = Home::new(listener.address().clone(), registry);
        Ok(Self {
            shared: Arc::new(Shared {
                listener,
                credentials,
                security,
                home: Arc::new(home),
                handlers: Handlers::default(),
                clients: Clients::default(),
                stop: Event::new(),
            }),
        })
    }

    /// Has objects of a type be made by a function, which may capture what it shares.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hilos_multiprocessing as multiprocessing;
    /// use hilos_queue::Queue;
    /// use multiprocessing::managers::BaseManager;
    ///
    /// let queue = Arc::new(Queue::new(0));
    /// let server = BaseManager::new().get_server()?;
    /// let shared = queue.clone();
    /// server.register("get_queue", move |_| Ok(shared.clone()));
    /// // Python: QueueManager.register('get_queue'); …; m.get_queue().put('hello')
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn register<R, F>(&self, typeid: &str, make: F)
    where
        R: Referent,
        F: Fn(&Args<'_>) -> Result<Arc<R>, Exception> + Send + Sync + 'static,
    {
        self.shared.home.registry.write().add(typeid, make);
    }

    /// Lets clients name a function, with its module, where Python would import it: for a pool's jobs, a
    /// list's `sort`, a barrier's action.
    pub fn register_function<R, F>(&self, name: &str, function: F)
    where
        R: Into<Object>,
        F: Fn(&Args<'_>) -> Result<R, Exception> + Send + Sync + 'static,
    {
        self.shared
            .home
            .registry
            .write()
            .add_function(name, function);
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        self.shared.listener.address()
    }

    /// Serves until a client asks for a [shutdown](super::BaseManager::shutdown), or
    /// [`stop`](Self::stop) is called.
    ///
    /// # Differences from Python
    /// It returns in the end, where Python ends the process.
    ///
    /// # Blocking
    /// Without a limit.
    pub fn serve_forever(&self) {
        tracing::info!(target: LOGGER, "manager serving at {}", self.address());
        while !self.shared.stop.is_set() {
            match self.shared.listener.accept() {
                Ok(_) if self.shared.stop.is_set() => break,
                Ok(connection) => handler::handle(self.shared.clone(), connection),
                // Too many open files, say: others will be closed.
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        self.shared.listener.close();
        self.shared.handlers.hang_up();
    }

    /// Ends [`serve_forever`](Self::serve_forever), and hangs up on all clients.
    pub fn stop(&self) {
        self.shared.stop();
    }
}

impl Shared {
    fn stop(&self) {
        self.stop.set();
        self.listener.hang_up();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key.
        write!(f, "<Server at {}>", self.address())
    }
}
