//! `test_base_events.py`: what connections, servers and datagrams are made of, and what is refused.

mod connections;
mod datagrams;
mod lookups;
mod refusals;

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{
    self, DatagramProtocol, DatagramTransport, Exception, Future, Protocol, Result, StreamReader,
    StreamWriter, TransportSocket, get_running_loop,
};

struct Nothing;
impl Protocol for Nothing {}

/// Says when its socket is closed, and counts what it receives.
struct Datagrams {
    done: Future<()>,
    received: Cell<usize>,
}

impl Datagrams {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            done: get_running_loop().unwrap().create_future(),
            received: Cell::new(0),
        })
    }
}

impl DatagramProtocol for Datagrams {
    fn datagram_received(&self, _data: &[u8], _addr: &asyncio::Address) -> Result<()> {
        self.received.set(self.received.get() + 1);
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none());
        self.done.set_result(())
    }
}

async fn close(_: StreamReader, writer: StreamWriter) -> Result<()> {
    writer.close();
    Ok(())
}

fn socket_of(transport: &DatagramTransport) -> TransportSocket {
    let socket = transport.get_extra_info("socket").unwrap();
    socket.as_socket().unwrap().clone()
}
