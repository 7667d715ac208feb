//! `asyncio.Server`.

mod accepting;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};

use socket2::Socket;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::RuntimeError;
use crate::futures::Future;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::repr::debug_like_display;
use crate::security::Security;
use crate::site::{self, WaitsIn};
use crate::sleep::sleep;
use crate::step::catch_cancel;
use crate::transports::{StreamTransport, Transport};
use crate::trsock::TransportSocket;
use crate::wait::release;

/// A server that accepts connections.
///
/// [`start_server`](crate::start_server) and [`EventLoop::create_server`] return one. A handle:
/// clones are the same server, and dropping them does not close it.
///
/// # Differences from Python
/// - `async with server:` is [`server.with(async |server| …)`](Self::with).
///
/// Mirrors [`asyncio.Server`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.Server).
#[derive(Clone)]
pub struct Server(Rc<Inner>);

/// What makes the protocol of each new connection.
pub(crate) type Factory = Rc<dyn Fn() -> Rc<dyn Protocol>>;

struct Inner {
    event_loop: EventLoop,
    /// `None` when the server is closed.
    sockets: RefCell<Option<Vec<TransportSocket>>>,
    clients: RefCell<BTreeMap<usize, Weak<dyn StreamTransport>>>,
    /// `None` when the server is closed and its last connection is lost.
    waiters: RefCell<Option<Vec<Future<()>>>>,
    how: Serving,
    serving: Cell<bool>,
    forever: RefCell<Option<Future<()>>>,
    /// The path to remove when the server is closed, if it is still this server's.
    unlink: RefCell<Option<UnixPath>>,
}

/// What a server does with its connections.
pub(crate) struct Serving {
    pub(crate) factory: Factory,
    pub(crate) security: Security,
    /// How many may wait to be accepted.
    pub(crate) backlog: u32,
}

/// The path that a Unix socket has made, and the number of its file.
pub(crate) struct UnixPath {
    pub(crate) path: std::path::PathBuf,
    pub(crate) inode: u64,
}

/// A connection in the list of its server's clients, while it lives.
pub(crate) struct Attached {
    server: Server,
    key: usize,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.server.0.clients.borrow_mut().remove(&self.key);
        if !self.server.is_open() {
            self.server.wake_up();
        }
    }
}

impl Server {
    pub(crate) fn new(
        event_loop: &EventLoop,
        sockets: Vec<Socket>,
        how: Serving,
        unlink: Option<UnixPath>,
    ) -> Self {
        let sockets = sockets.into_iter().map(TransportSocket::new).collect();
        Self(Rc::new(Inner {
            event_loop: event_loop.clone(),
            sockets: RefCell::new(Some(sockets)),
            clients: RefCell::default(),
            waiters: RefCell::new(Some(Vec::new())),
            how,
            serving: Cell::new(false),
            forever: RefCell::default(),
            unlink: RefCell::new(unlink),
        }))
    }

    pub(crate) fn attach(&self, transport: &Transport) -> Attached {
        let key = Rc::as_ptr(&transport.0).addr();
        let client = Rc::downgrade(&transport.0);
        self.0.clients.borrow_mut().insert(key, client);
        Attached {
            server: self.clone(),
            key,
        }
    }

    fn is_open(&self) -> bool {
        self.0.sockets.borrow().is_some()
    }

    fn wake_up(&self) {
        if !self.0.clients.borrow().is_empty() {
            return;
        }
        let waiters = self.0.waiters.take();
        for waiter in waiters.into_iter().flatten() {
            release(&waiter);
        }
    }

    /// The loop that serves.
    pub fn get_loop(&self) -> EventLoop {
        self.0.event_loop.clone()
    }

    /// Whether the server accepts connections.
    pub fn is_serving(&self) -> bool {
        self.0.serving.get()
    }

    /// The sockets that the server listens on; none when it is closed.
    pub fn sockets(&self) -> Vec<TransportSocket> {
        self.0.sockets.borrow().clone().unwrap_or_default()
    }

    /// Stops accepting connections. Those that are open stay so.
    ///
    /// Closing a closed server does nothing.
    pub fn close(&self) {
        let Some(sockets) = self.0.sockets.take() else {
            return;
        };
        for socket in sockets {
            if let Ok(open) = socket.get() {
                self.0.event_loop.remove_reader(&*open);
            }
            socket.close();
        }
        self.remove_path();
        self.0.serving.set(false);
        let forever = self.0.forever.take();
        if let Some(forever) = forever {
            forever.cancel();
        }
        self.wake_up();
    }

    /// Another server may have taken the path meanwhile.
    fn remove_path(&self) {
        use std::os::unix::fs::MetadataExt;
        let Some(unlink) = self.0.unlink.take() else {
            return;
        };
        let inode = std::fs::metadata(&unlink.path).map(|metadata| metadata.ino());
        if inode.is_ok_and(|inode| inode == unlink.inode) {
            // Somebody may have removed it in between.
            let _ = std::fs::remove_file(&unlink.path);
        }
    }

    /// Closes all open connections, after what they still have to write.
    pub fn close_clients(&self) {
        for client in self.clients() {
            client.close();
        }
    }

    /// Closes all open connections at once.
    pub fn abort_clients(&self) {
        for client in self.clients() {
            client.abort();
        }
    }

    fn clients(&self) -> Vec<Rc<dyn StreamTransport>> {
        let clients = self.0.clients.borrow();
        clients.values().filter_map(Weak::upgrade).collect()
    }

    /// Accepts connections from now on; does nothing if the server does so already.
    ///
    /// # Errors
    /// `OSError` if the system refuses; [`RuntimeError`] if the server is closed.
    pub async fn start_serving(&self) -> Result<()> {
        self.listen()?;
        sleep(0).await
    }

    pub(crate) fn listen(&self) -> Result<()> {
        if !self.is_open() {
            return Err(self.closed());
        }
        if self.0.serving.replace(true) {
            return Ok(());
        }
        for socket in self.sockets() {
            let backlog = i32::try_from(self.0.how.backlog).unwrap_or(i32::MAX);
            socket
                .get()
                .and_then(|socket| socket.listen(backlog))
                .map_err(os_error)?;
            self.accept_from(&socket)?;
        }
        Ok(())
    }

    fn closed(&self) -> Exception {
        RuntimeError::new(format!("server {self} is closed")).into()
    }

    /// Serves until the task is cancelled or the server is closed; then closes the server.
    ///
    /// # Errors
    /// The `CancelledError`, when the open connections are lost too; [`RuntimeError`] if the
    /// server is closed or somebody else waits here.
    pub async fn serve_forever(&self) -> Result<()> {
        if self.0.forever.borrow().is_some() {
            let message = format!("server {self} is already being awaited on serve_forever()");
            return Err(RuntimeError::new(message).into());
        }
        self.listen()?;
        let forever = self.0.event_loop.create_future::<()>();
        *self.0.forever.borrow_mut() = Some(forever.clone());
        site::mark(WaitsIn::Server);
        let result = forever.waiting().await;
        if result.as_ref().is_err_and(Exception::is_cancelled) {
            self.close();
            // The first cancellation counts, whatever happens meanwhile.
            let _ = self.wait_closed().await;
        }
        self.0.forever.take();
        result
    }

    /// Waits until the server is closed and all its connections are lost.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile.
    pub async fn wait_closed(&self) -> Result<()> {
        let waiter = self.0.event_loop.create_future();
        match &mut *self.0.waiters.borrow_mut() {
            Some(waiters) => waiters.push(waiter.clone()),
            None => return Ok(()),
        }
        waiter.await
    }

    /// Runs `body`, then closes the server and waits until its connections are lost: Python's
    /// `async with server:`.
    ///
    /// ```
    /// use hilos_asyncio as asyncio;
    ///
    /// asyncio::run(async {
    ///     let greet = async |_, writer: asyncio::StreamWriter| {
    ///         writer.write("hello")?;
    ///         writer.close();
    ///         Ok(())
    ///     };
    ///     let server = asyncio::start_server(greet, "127.0.0.1", 0).await?;
    ///     server.with(async |server| {
    ///         let port = server.sockets()[0].getsockname()?.port().unwrap_or_default();
    ///         let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
    ///         assert_eq!(reader.read_to_end().await?, b"hello");
    ///         writer.close();
    ///         Ok(())
    ///     }).await?;
    ///     assert!(server.sockets().is_empty());
    ///     Ok(())
    /// })?;
    /// # Ok::<(), asyncio::Exception>(())
    /// ```
    ///
    /// # Errors
    /// What `body` fails with; the `CancelledError` of a task that is cancelled while it waits for
    /// the end.
    pub async fn with<T, F>(&self, body: F) -> Result<T>
    where
        F: AsyncFnOnce(&Self) -> Result<T>,
    {
        let closing = Closing(self);
        let result = catch_cancel(body(self)).await;
        drop(closing);
        self.wait_closed().await?;
        result
    }
}

/// Closes the server, also when the future that uses it is dropped.
struct Closing<'s>(&'s Server);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sockets: Vec<_> = self.sockets().iter().map(ToString::to_string).collect();
        // A tuple of one has a comma, too.
        let end = if sockets.len() == 1 { "," } else { "" };
        write!(f, "<Server sockets=({}{end})>", sockets.join(", "))
    }
}

debug_like_display!(Server);
