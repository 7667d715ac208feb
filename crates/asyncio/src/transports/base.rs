//! What every transport over a socket or pipe has: CPython's `_SelectorTransport`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::rc::{Rc, Weak};

use super::Flow;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::{RuntimeError, SystemExit};
use crate::handler::ExceptionContext;
use crate::selector::Interest;
use crate::server::Attached;
use hilos_core::panic::{Unwound, catch};

/// The kind of protocol that a transport calls.
pub(crate) trait Kind: 'static {
    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()>;
    fn pause_writing(&self) -> Result<()>;
    fn resume_writing(&self) -> Result<()>;
}

impl Kind for dyn crate::protocols::Protocol {
    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        crate::protocols::Protocol::connection_lost(self, exc)
    }

    fn pause_writing(&self) -> Result<()> {
        crate::protocols::Protocol::pause_writing(self)
    }

    fn resume_writing(&self) -> Result<()> {
        crate::protocols::Protocol::resume_writing(self)
    }
}

impl Kind for dyn crate::protocols::DatagramProtocol {
    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        crate::protocols::DatagramProtocol::connection_lost(self, exc)
    }

    fn pause_writing(&self) -> Result<()> {
        crate::protocols::DatagramProtocol::pause_writing(self)
    }

    fn resume_writing(&self) -> Result<()> {
        crate::protocols::DatagramProtocol::resume_writing(self)
    }
}

/// A transport, to its loop.
pub(crate) trait Abandon {
    /// Closes the socket, and forgets the protocol without a word.
    fn abandon(&self);

    /// The descriptor that nobody else may watch.
    fn descriptor(&self) -> Option<RawFd> {
        None
    }

    /// How the transport shows itself, while its descriptor is its own.
    fn claim(&self) -> Option<String> {
        None
    }
}

/// What a loop knows a transport by: its descriptor or its place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Descriptor(RawFd),
    Place(usize),
}

/// The transports of a loop that are open.
pub(crate) type Open = BTreeMap<Key, Weak<dyn Abandon>>;

/// A transport's place among those of its loop, while it lives.
pub(crate) struct Registration {
    event_loop: EventLoop,
    key: Cell<Option<Key>>,
}

impl Registration {
    pub(crate) fn new(event_loop: &EventLoop) -> Self {
        Self {
            event_loop: event_loop.clone(),
            key: Cell::new(None),
        }
    }

    /// Has the loop close the transport with itself.
    pub(crate) fn register<T: Abandon + 'static>(&self, transport: &Rc<T>) {
        let place = || Key::Place(Rc::as_ptr(transport).addr());
        let key = transport.descriptor().map_or_else(place, Key::Descriptor);
        self.key.set(Some(key));
        let transport: Weak<T> = Rc::downgrade(transport);
        let mut open = self.event_loop.0.transports.borrow_mut();
        open.insert(key, transport);
    }

    /// The descriptor that the transport had, or has.
    fn descriptor(&self) -> RawFd {
        match self.key.get() {
            Some(Key::Descriptor(fd)) => fd,
            Some(Key::Place(_)) | None => -1,
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let Some(key) = self.key.get() else { return };
        let mut open = self.event_loop.0.transports.borrow_mut();
        // Another transport may have the descriptor by now, and live.
        if open
            .get(&key)
            .is_some_and(|known| known.strong_count() == 0)
        {
            open.remove(&key);
        }
    }
}

impl EventLoop {
    /// Refuses a descriptor that belongs to a transport, which would miss what happens to it.
    pub(crate) fn check_unclaimed<Fd: AsFd>(&self, fd: &Fd) -> Result<()> {
        let number = fd.as_fd().as_raw_fd();
        let open = self.0.transports.borrow();
        let known = open.get(&Key::Descriptor(number)).and_then(Weak::upgrade);
        drop(open);
        match known.and_then(|transport| transport.claim()) {
            None => Ok(()),
            Some(transport) => {
                let message = format!("File descriptor {number} is used by transport {transport}");
                Err(RuntimeError::new(message).into())
            }
        }
    }

    /// A buffer of `size` bytes, to be given back by [`return_read_buffer`](Self::return_read_buffer).
    pub(crate) fn take_read_buffer(&self, size: usize) -> Vec<u8> {
        let mut buffer = self.0.read_buffer.take();
        buffer.resize(size, 0);
        buffer
    }

    pub(crate) fn return_read_buffer(&self, buffer: Vec<u8>) {
        let old = self.0.read_buffer.replace(buffer);
        drop(old);
    }
}

/// The state that transports share. `P` is the kind of protocol.
pub(crate) struct Base<P: ?Sized> {
    pub(crate) event_loop: EventLoop,
    protocol: RefCell<Option<Rc<P>>>,
    pub(crate) flow: Flow,
    pub(crate) closing: Cell<bool>,
    /// How often something was done to the connection after it was lost; 1 when it is.
    pub(crate) conn_lost: Cell<u32>,
    /// The server that the connection came from, while it is there.
    pub(crate) attached: RefCell<Option<Attached>>,
    pub(crate) registration: Registration,
}

/// Calls a protocol of the program's; a panic is an error like any other.
pub(crate) fn invoke<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    match catch(call) {
        Ok(result) => result,
        Err(Unwound::Panic(panic)) => Err(panic.into()),
        Err(Unwound::Exit) => Err(SystemExit(0).into()),
    }
}

impl<P: Kind + ?Sized> Base<P> {
    pub(crate) fn new(event_loop: &EventLoop, protocol: Rc<P>) -> Self {
        Self {
            event_loop: event_loop.clone(),
            protocol: RefCell::new(Some(protocol)),
            flow: Flow::default(),
            closing: Cell::new(false),
            conn_lost: Cell::new(0),
            attached: RefCell::default(),
            registration: Registration::new(event_loop),
        }
    }

    pub(crate) fn forget_protocol(&self) {
        let protocol = self.protocol.take();
        let attached = self.attached.take();
        drop((protocol, attached));
    }

    pub(crate) fn protocol(&self) -> Option<Rc<P>> {
        self.protocol.borrow().clone()
    }

    pub(crate) fn set_protocol(&self, protocol: Rc<P>) {
        let old = self.protocol.replace(Some(protocol));
        drop(old);
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.conn_lost.get() > 0
    }

    pub(crate) fn lose(&self) {
        self.conn_lost.set(self.conn_lost.get().saturating_add(1));
    }

    /// What Python prints of a transport over a socket.
    pub(crate) fn fmt_socket(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        is_closed: bool,
        bufsize: usize,
    ) -> fmt::Result {
        let state = match (is_closed, self.closing.get()) {
            (true, _) => " closed",
            (false, true) => " closing",
            (false, false) => "",
        };
        let fd = self.registration.descriptor();
        write!(f, "<{name}{state} fd={fd}")?;
        if !is_closed {
            let polling = |interest| self.event_loop.polling(fd, interest);
            let (read, write) = (polling(Interest::Read), polling(Interest::Write));
            write!(f, " read={read} write=<{write}, bufsize={bufsize}>")?;
        }
        f.write_str(">")
    }

    /// Calls the protocol, unless the connection is lost; a failure goes to `failed`.
    pub(crate) fn call(&self, call: impl FnOnce(&P) -> Result<()>, failed: impl FnOnce(Exception)) {
        if let Some(protocol) = self.protocol()
            && let Err(exception) = invoke(|| call(&protocol))
        {
            failed(exception);
        }
    }

    /// Asks the protocol to pause if `size` waiting bytes are too many.
    pub(crate) fn maybe_pause(&self, size: usize) {
        if self.flow.pauses(size) {
            self.call(P::pause_writing, |exception| {
                self.report("protocol.pause_writing() failed", exception);
            });
        }
    }

    /// Lets the protocol go on if `size` waiting bytes are few.
    pub(crate) fn maybe_resume(&self, size: usize) {
        if self.flow.resumes(size) {
            self.call(P::resume_writing, |exception| {
                self.report("protocol.resume_writing() failed", exception);
            });
        }
    }

    pub(crate) fn report(&self, message: &str, exception: Exception) {
        let context = ExceptionContext::new(message).with_exception(exception);
        self.event_loop.report(context);
    }

    /// What goes wrong with the system is the connection's fate; anything else somebody shall know.
    pub(crate) fn report_fatal(&self, message: &str, exception: &Exception) {
        if exception.is_exit() {
            self.event_loop.raise(exception.clone());
        } else if !exception.is::<std::io::Error>() {
            self.report(message, exception.clone());
        }
    }

    /// Tells the protocol and the server that the connection is gone, and forgets both.
    pub(crate) fn call_connection_lost(&self, exception: Option<&Exception>) -> Result<()> {
        let protocol = self.protocol.take();
        let lost = |protocol: Rc<P>| invoke(|| protocol.connection_lost(exception));
        let result = protocol.map_or(Ok(()), lost);
        let attached = self.attached.take();
        drop(attached);
        result
    }
}
