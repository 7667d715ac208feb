//! `asyncio.SubprocessTransport`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use super::child::{Child, process_lookup_error};
use super::pipes::PipeProtocol;
use super::stdio::Ends;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::futures::Future;
use crate::protocols::SubprocessProtocol;
use crate::repr::debug_like_display;
use crate::site::{self, WaitsIn};
use crate::transports::{Abandon, ExtraInfo, Registration, Transport};

/// A child process, and the pipes to it.
///
/// A handle: clones are the same process. [`EventLoop::subprocess_exec`] returns one;
/// coroutines use [`create_subprocess_exec`](crate::create_subprocess_exec) instead.
///
/// Mirrors [`asyncio.SubprocessTransport`](https://docs.python.org/3.14/library/asyncio-protocol.html#asyncio.SubprocessTransport).
#[derive(Clone)]
pub struct SubprocessTransport(Rc<Inner>);

type Call = Box<dyn FnOnce(&dyn SubprocessProtocol) -> Result<()>>;

struct Inner {
    event_loop: EventLoop,
    protocol: RefCell<Option<Rc<dyn SubprocessProtocol>>>,
    child: Child,
    pipes: [RefCell<Pipe>; 3],
    /// What the protocol is told when it knows the transport.
    pending: RefCell<Option<Vec<Call>>>,
    exit_waiters: RefCell<Vec<Future<i32>>>,
    closed: Cell<bool>,
    registration: Registration,
}

/// One of the standard streams.
enum Pipe {
    Absent,
    /// It will be connected soon.
    Expected,
    Connected(Transport),
    Disconnected(Transport),
}

impl SubprocessTransport {
    pub(super) fn new(
        event_loop: &EventLoop,
        child: std::process::Child,
        protocol: Rc<dyn SubprocessProtocol>,
        ends: &Ends,
    ) -> Result<Self> {
        let expected = |is_piped| match is_piped {
            true => RefCell::new(Pipe::Expected),
            false => RefCell::new(Pipe::Absent),
        };
        let this = Self(Rc::new(Inner {
            event_loop: event_loop.clone(),
            protocol: RefCell::new(Some(protocol)),
            child: Child::new(event_loop, child),
            pipes: [
                expected(ends.stdin.is_some()),
                expected(ends.stdout.is_some()),
                expected(ends.stderr.is_some()),
            ],
            pending: RefCell::new(Some(Vec::new())),
            exit_waiters: RefCell::default(),
            closed: Cell::new(false),
            registration: Registration::new(event_loop),
        }));
        this.0.registration.register(&this.0);
        let watching = this.clone();
        this.0.child.watch(move || watching.on_exit())?;
        Ok(this)
    }

    /// Connects the pipes, and then tells the protocol.
    pub(super) async fn connect_pipes(&self, ends: Ends) -> Result<()> {
        let event_loop = &self.0.event_loop;
        if let Some(stdin) = ends.stdin {
            let factory = || PipeProtocol::new(self, 0);
            let (transport, _) = event_loop.connect_write_pipe(factory, stdin).await?;
            self.connected(0, transport);
        }
        for (fd, end) in [(1, ends.stdout), (2, ends.stderr)] {
            if let Some(end) = end {
                let factory = || PipeProtocol::new(self, fd);
                let (transport, _) = event_loop.connect_read_pipe(factory, end).await?;
                self.connected(fd, transport);
            }
        }
        let this = self.clone();
        self.call_soon(move |protocol| protocol.connection_made(&this))?;
        let pending = self.0.pending.take();
        for call in pending.into_iter().flatten() {
            self.call_soon(call)?;
        }
        Ok(())
    }

    fn connected(&self, fd: usize, transport: Transport) {
        let mut pipe = self.0.pipes[fd].borrow_mut();
        *pipe = match *pipe {
            // It was closed before anybody knew.
            Pipe::Disconnected(_) => Pipe::Disconnected(transport),
            _ => Pipe::Connected(transport),
        };
    }

    fn call_soon<F>(&self, call: F) -> Result<()>
    where
        F: FnOnce(&dyn SubprocessProtocol) -> Result<()> + 'static,
    {
        let this = self.clone();
        self.0.event_loop.call_soon(move || match this.protocol() {
            Some(protocol) => call(&*protocol),
            None => Ok(()),
        })?;
        Ok(())
    }

    fn protocol(&self) -> Option<Rc<dyn SubprocessProtocol>> {
        self.0.protocol.borrow().clone()
    }

    /// Calls the protocol soon, and not before it knows the transport.
    fn call<F>(&self, call: F) -> Result<()>
    where
        F: FnOnce(&dyn SubprocessProtocol) -> Result<()> + 'static,
    {
        if let Some(pending) = &mut *self.0.pending.borrow_mut() {
            pending.push(Box::new(call));
            return Ok(());
        }
        self.call_soon(call)
    }

    pub(super) fn pipe_data_received(&self, fd: usize, data: &[u8]) -> Result<()> {
        let data = data.to_vec();
        self.call(move |protocol| protocol.pipe_data_received(fd as i32, &data))
    }

    pub(super) fn pipe_connection_lost(
        &self,
        fd: usize,
        transport: Transport,
        exc: Option<&Exception>,
    ) -> Result<()> {
        self.0.pipes[fd].replace(Pipe::Disconnected(transport));
        let exc = exc.cloned();
        self.call(move |protocol| protocol.pipe_connection_lost(fd as i32, exc.as_ref()))?;
        self.try_finish()
    }

    pub(super) fn pause_writing(&self) -> Result<()> {
        self.protocol()
            .map_or(Ok(()), |protocol| protocol.pause_writing())
    }

    pub(super) fn resume_writing(&self) -> Result<()> {
        self.protocol()
            .map_or(Ok(()), |protocol| protocol.resume_writing())
    }

    fn on_exit(&self) {
        let Some(returncode) = self.0.child.reap() else {
            return;
        };
        // Only a closed loop refuses, and calls nobody any more.
        let _ = self
            .call(|protocol| protocol.process_exited())
            .and_then(|()| self.try_finish());
        let waiters = self.0.exit_waiters.take();
        for waiter in waiters.into_iter().filter(|waiter| !waiter.done()) {
            // It is not done.
            let _ = waiter.set_result(returncode);
        }
    }

    /// Tells the protocol when the child has ended and all its pipes are closed.
    fn try_finish(&self) -> Result<()> {
        let is_open =
            |pipe: &RefCell<Pipe>| matches!(*pipe.borrow(), Pipe::Expected | Pipe::Connected(_));
        if self.get_returncode().is_none() || self.0.pipes.iter().any(is_open) {
            return Ok(());
        }
        let this = self.clone();
        self.call(move |protocol| {
            let result = protocol.connection_lost(None);
            let protocol = this.0.protocol.take();
            drop(protocol);
            result
        })
    }

    /// Waits until the child has ended; whether its pipes are closed does not matter.
    pub(super) async fn wait(&self) -> Result<i32> {
        if let Some(returncode) = self.get_returncode() {
            return Ok(returncode);
        }
        let waiter = self.0.event_loop.create_future();
        self.add_exit_waiter(waiter.clone());
        site::mark(WaitsIn::Process);
        waiter.waiting().await
    }

    /// Who has given up, as by a timeout, is forgotten.
    fn add_exit_waiter(&self, waiter: Future<i32>) {
        let mut waiters = self.0.exit_waiters.borrow_mut();
        waiters.retain(|waiter| !waiter.done());
        waiters.push(waiter);
    }

    /// The number of the child.
    pub fn get_pid(&self) -> i32 {
        self.0.child.pid()
    }

    /// The exit code of the child, the negative number of the signal that ended it, or `None`
    /// while it runs.
    pub fn get_returncode(&self) -> Option<i32> {
        self.0.child.returncode()
    }

    /// The pipe to one of the child's standard streams: 0, 1 or 2.
    pub fn get_pipe_transport(&self, fd: i32) -> Option<Transport> {
        let pipe = self.0.pipes.get(usize::try_from(fd).ok()?)?;
        match &*pipe.borrow() {
            Pipe::Connected(transport) | Pipe::Disconnected(transport) => Some(transport.clone()),
            Pipe::Absent | Pipe::Expected => None,
        }
    }

    /// Sends the child a signal, by its number; nothing if it has just ended.
    ///
    /// # Errors
    /// `ProcessLookupError` if it is known that the child has ended and its pipes are closed;
    /// `OSError` if there is no such signal.
    pub fn send_signal(&self, signal: i32) -> Result<()> {
        match self.protocol() {
            Some(_) => self.0.child.send_signal(signal),
            None => Err(process_lookup_error()),
        }
    }

    /// Asks the child to end, by `SIGTERM`.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal).
    pub fn terminate(&self) -> Result<()> {
        self.send_signal(nix::libc::SIGTERM)
    }

    /// Ends the child, by `SIGKILL`.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal).
    pub fn kill(&self) -> Result<()> {
        self.send_signal(nix::libc::SIGKILL)
    }

    /// Closes the pipes, and kills the child if it runs.
    pub fn close(&self) {
        if self.0.closed.replace(true) {
            return;
        }
        for fd in 0..3 {
            if let Some(transport) = self.get_pipe_transport(fd) {
                transport.close();
            }
        }
        if self.get_returncode().is_none() {
            // It may have ended just now, or belong to somebody else.
            let _ = self.0.child.send_signal(nix::libc::SIGKILL);
        }
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closing(&self) -> bool {
        self.0.closed.get()
    }

    /// The protocol, until the child has ended and its pipes are closed.
    pub fn get_protocol(&self) -> Option<Rc<dyn SubprocessProtocol>> {
        self.protocol()
    }

    /// Tells `protocol` what happens from now on.
    pub fn set_protocol(&self, protocol: Rc<dyn SubprocessProtocol>) {
        let old = self.0.protocol.replace(Some(protocol));
        drop(old);
    }

    /// What is known under `name`: `"subprocess"` is the child's number.
    pub fn get_extra_info(&self, name: &str) -> Option<ExtraInfo> {
        (name == "subprocess").then(|| ExtraInfo::Number(self.get_pid().into()))
    }
}

impl Abandon for Inner {
    fn abandon(&self) {
        let protocol = self.protocol.take();
        drop(protocol);
        self.child.destroy();
    }
}

impl fmt::Display for SubprocessTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<_UnixSubprocessTransport")?;
        if self.is_closing() {
            f.write_str(" closed")?;
        }
        write!(f, " pid={}", self.get_pid())?;
        match self.get_returncode() {
            Some(code) => write!(f, " returncode={code}")?,
            None => f.write_str(" running")?,
        }
        for (fd, name) in ["stdin", "stdout", "stderr"].into_iter().enumerate() {
            if let Some(pipe) = self.get_pipe_transport(fd as i32) {
                write!(f, " {name}={pipe}")?;
            }
        }
        f.write_str(">")
    }
}

debug_like_display!(SubprocessTransport);
