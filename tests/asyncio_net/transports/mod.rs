//! `Transport` and `Protocol`.

mod buffered_protocols;
mod losses;
mod protocols;
mod sockets;
mod writing;

use std::cell::{Cell, RefCell};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{self, Exception, Protocol, Result, Transport};

use crate::support::Log;

/// Writes down what it is called with.
struct Recorder {
    log: Log<String>,
    transport: RefCell<Option<Transport>>,
    fails_at: Cell<&'static str>,
    keeps_open: Cell<bool>,
}

impl Recorder {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            log: Log::new(),
            transport: RefCell::default(),
            fails_at: Cell::new(""),
            keeps_open: Cell::new(false),
        })
    }

    fn record(&self, what: &str) -> Result<()> {
        self.log.push(what.to_owned());
        match self.fails_at.get() {
            "" => Ok(()),
            at if what.starts_with(at) => Err(Exception::new("LookupError", "of the protocol")),
            _ => Ok(()),
        }
    }
}

impl Protocol for Recorder {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        self.record("made")
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.record(&format!("data {}", String::from_utf8_lossy(data)))
    }

    fn eof_received(&self) -> Result<bool> {
        self.record("eof").map(|()| self.keeps_open.get())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let why = exc.map_or("None".to_owned(), Exception::repr);
        self.record(&format!("lost {why}"))
    }

    fn pause_writing(&self) -> Result<()> {
        self.record("pause")
    }

    fn resume_writing(&self) -> Result<()> {
        self.record("resume")
    }
}

/// A transport, its protocol, and the other end.
async fn connected() -> Result<(Transport, Rc<Recorder>, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let event_loop = asyncio::get_running_loop()?;
    let create = event_loop.create_connection_over(move || protocol, ours);
    let (transport, _) = create.await?;
    Ok((transport, recorder, theirs))
}
