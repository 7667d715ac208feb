//! Datagrams as a loop sends and receives them.

use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;

use hilos::asyncio::{self, AddressFamily, DatagramProtocol, DatagramTransport, Exception, Result};
use hilos::asyncio::{Address, EventLoop};

use crate::support::{run, until};

/// Counts the bytes of datagrams, and answers them.
#[derive(Default)]
struct Datagrams {
    transport: RefCell<Option<DatagramTransport>>,
    received: RefCell<Vec<u8>>,
    lost: Cell<bool>,
    answers: bool,
}

impl DatagramProtocol for Datagrams {
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn datagram_received(&self, data: &[u8], addr: &Address) -> Result<()> {
        self.received.borrow_mut().extend(data);
        match self.transport.borrow().as_ref().filter(|_| self.answers) {
            Some(transport) => transport.sendto([b"resp:", data].concat(), addr.clone()),
            None => Ok(()),
        }
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        assert!(exc.is_none(), "{exc:?}");
        self.lost.set(true);
        Ok(())
    }
}

/// A server that answers datagrams on `host`, and a client of it.
async fn ask(host: &str, family: AddressFamily) -> Result<()> {
    let event_loop = asyncio::get_running_loop()?;
    let answers = || Datagrams {
        answers: true,
        ..Datagrams::default()
    };
    let serve = event_loop.create_datagram_endpoint(answers);
    let serve = serve.with_local_addr(host, 0).with_family(family);
    let (server, serving) = serve.await?;
    let at = server.get_extra_info("sockname").unwrap();
    let at = at.as_address().unwrap().as_inet().unwrap();

    let connect = event_loop.create_datagram_endpoint(Datagrams::default);
    let connect = connect.with_remote_addr(&at.ip().to_string(), at.port());
    let (client, asking) = connect.await?;
    assert!(client.get_extra_info("sockname").is_some());
    client.sendto(b"xxx", None)?;
    until(|| !asking.received.borrow().is_empty()).await?;
    assert_eq!(*serving.received.borrow(), b"xxx");
    assert_eq!(*asking.received.borrow(), b"resp:xxx");
    client.close();
    server.close();
    until(|| asking.lost.get() && serving.lost.get()).await
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_datagram_endpoint
#[test]
fn datagrams_are_answered() {
    run(async { ask("127.0.0.1", AddressFamily::Inet).await });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_datagram_endpoint_ipv6
#[test]
fn datagrams_of_the_other_family_are_answered() {
    run(async { ask("::1", AddressFamily::Inet6).await });
}

/// An endpoint over a socket of the test's, and where it is.
async fn endpoint(
    event_loop: &EventLoop,
) -> Result<(DatagramTransport, Rc<Datagrams>, SocketAddr)> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let address = socket.local_addr()?;
    let create = event_loop.create_datagram_endpoint(Datagrams::default);
    let (transport, protocol) = create.with_sock(socket).await?;
    Ok((transport, protocol, address))
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_datagram_endpoint_sock
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_datagram_send_to_non_listening_address
#[test]
fn a_datagram_to_nobody_harms_nobody() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let (first, at_first, first_address) = endpoint(&event_loop).await?;
        let (second, at_second, second_address) = endpoint(&event_loop).await?;
        let (gone, _, nobody) = endpoint(&event_loop).await?;
        gone.abort();
        asyncio::sleep(0).await?;
        first.sendto(b"a", Address::from(second_address))?;
        until(|| *at_second.received.borrow() == b"a").await?;
        second.sendto(b"b", Address::from(first_address))?;
        until(|| *at_first.received.borrow() == b"b").await?;
        first.sendto(b"c", Address::from(nobody))?;
        asyncio::sleep(0).await?;
        second.sendto(b"d", Address::from(first_address))?;
        until(|| *at_first.received.borrow() == b"bd").await?;
        first.close();
        second.close();
        until(|| at_first.lost.get() && at_second.lost.get()).await
    });
}
