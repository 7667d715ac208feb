//! Connections, servers and datagrams as a loop makes them.

mod accepting;
mod connections;
mod datagrams;
mod servers;

use std::cell::{Cell, RefCell};
use std::net::TcpListener;
use std::rc::Rc;

use hilos::asyncio::{Exception, Protocol, Result, Transport};

/// Counts what it receives.
#[derive(Default)]
struct Counter {
    transport: RefCell<Option<Transport>>,
    received: Cell<usize>,
    ended: Cell<bool>,
    lost: Cell<bool>,
    /// What each piece of data is answered with.
    answer: &'static [u8],
}

impl Counter {
    fn new() -> Rc<Self> {
        Rc::default()
    }

    fn transport(&self) -> Transport {
        self.transport.borrow().clone().expect("a connection")
    }

    fn is_connected(&self) -> bool {
        self.transport.borrow().is_some()
    }
}

impl Protocol for Counter {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        assert!(!self.is_connected());
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.received.set(self.received.get() + data.len());
        self.transport().write(self.answer)
    }

    fn eof_received(&self) -> Result<bool> {
        self.ended.set(true);
        Ok(false)
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none(), "{exc:?}");
        self.lost.set(true);
        Ok(())
    }
}

/// A port that nobody listens on just now.
fn unused_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
