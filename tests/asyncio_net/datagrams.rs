//! `DatagramTransport` and `DatagramProtocol`.

use std::cell::RefCell;
use std::net::UdpSocket;
use std::rc::Rc;

use hilos::asyncio::{self, Address, DatagramProtocol, DatagramTransport, Exception, Result};

use crate::support::{Log, fails, run, until};

/// Answers each datagram with the same in capitals, and writes down what it is called with.
struct Echo {
    transport: RefCell<Option<DatagramTransport>>,
    log: Log<String>,
    answers: bool,
}

impl Echo {
    fn new(answers: bool) -> Rc<Self> {
        Rc::new(Self {
            transport: RefCell::default(),
            log: Log::new(),
            answers,
        })
    }
}

impl DatagramProtocol for Echo {
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        self.log.push("made".to_owned());
        Ok(())
    }

    fn datagram_received(&self, data: &[u8], addr: &Address) -> Result<()> {
        self.log
            .push(format!("received {}", String::from_utf8_lossy(data)));
        if self.answers {
            let transport = self.transport.borrow().clone().unwrap();
            transport.sendto(data.to_ascii_uppercase(), addr.clone())?;
        }
        Ok(())
    }

    fn error_received(&self, exc: &Exception) -> Result<()> {
        self.log.push(format!("error {}", exc.type_name()));
        Ok(())
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        self.log
            .push(format!("lost {}", exc.map_or("None", Exception::type_name)));
        Ok(())
    }
}

async fn echo_server() -> Result<(DatagramTransport, Rc<Echo>, u16)> {
    let event_loop = asyncio::get_running_loop()?;
    let echo = Echo::new(true);
    let protocol = echo.clone();
    let create = event_loop.create_datagram_endpoint(move || protocol);
    let (transport, _) = create.with_local_addr("127.0.0.1", 0).await?;
    let sockname = transport.get_extra_info("sockname").unwrap();
    let port = sockname.as_address().unwrap().port().unwrap();
    Ok((transport, echo, port))
}

async fn client(port: u16) -> Result<(DatagramTransport, Rc<Echo>)> {
    let event_loop = asyncio::get_running_loop()?;
    let echo = Echo::new(false);
    let protocol = echo.clone();
    let create = event_loop.create_datagram_endpoint(move || protocol);
    let (transport, _) = create.with_remote_addr("127.0.0.1", port).await?;
    Ok((transport, echo))
}

// cpython: test_asyncio/test_protocols.py::ProtocolsAbsTests::test_datagram_protocol
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_read_ready
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto
#[test]
fn datagrams_go_and_come() {
    run(async {
        let (server, echo, port) = echo_server().await?;
        let (client, answers) = client(port).await?;
        client.sendto(b"hello", None)?;
        client.sendto(b"", None)?;
        until(|| answers.log.len() == 3).await?;
        assert_eq!(answers.log.take(), ["made", "received HELLO", "received "]);
        client.close();
        server.close();
        asyncio::sleep(0).await?;
        assert_eq!(answers.log.take(), ["lost None"]);
        assert_eq!(
            echo.log.take(),
            ["made", "received hello", "received ", "lost None"]
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_connected_addr
#[test]
fn a_connected_socket_sends_to_one_address_only() {
    run(async {
        let (server, _, port) = echo_server().await?;
        let (client, answers) = client(port).await?;
        let there: Address = std::net::SocketAddr::from(([127, 0, 0, 1], port)).into();
        client.sendto(b"a", there)?;
        let elsewhere: Address = std::net::SocketAddr::from(([127, 0, 0, 1], 1)).into();
        let message = fails(client.sendto(b"b", elsewhere), "ValueError");
        let expected = format!("Invalid address: must be None or ('127.0.0.1', {port})");
        assert_eq!(message, expected);
        until(|| answers.log.len() == 2).await?;
        client.close();
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_read_ready_oserr
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_error_received_connected
#[test]
fn what_the_system_refuses_the_protocol_is_told() {
    run(async {
        // Nobody listens there.
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let (client, answers) = client(port).await?;
        client.sendto(b"x", None)?;
        until(|| answers.log.len() == 2).await?;
        assert_eq!(answers.log.take(), ["made", "error ConnectionRefusedError"]);
        // Too long for one datagram.
        client.sendto(vec![0; 100_000], None)?;
        assert_eq!(answers.log.take(), ["error OSError"]);
        assert!(!client.is_closing());
        client.abort();
        client.close();
        asyncio::sleep(0).await?;
        assert_eq!(answers.log.take(), ["lost None"]);
        Ok(())
    });
}

#[test]
fn an_endpoint_needs_an_address_or_a_family() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop
            .create_datagram_endpoint(|| Echo::new(false))
            .await;
        assert_eq!(
            fails(create.map(drop), "ValueError"),
            "unexpected address family"
        );
        let create = event_loop.create_datagram_endpoint(|| Echo::new(false));
        let create = create.with_family(asyncio::AddressFamily::Inet).await;
        create?.0.close();
        let stream = std::net::TcpListener::bind("127.0.0.1:0")?;
        let create = event_loop
            .create_datagram_endpoint(|| Echo::new(false))
            .with_sock(stream);
        let message = fails(create.await.map(drop), "ValueError");
        assert!(message.starts_with("A datagram socket was expected, got "));
        Ok(())
    });
}

#[test]
fn a_socket_of_ones_own_will_do() {
    run(async {
        let ours = UdpSocket::bind("127.0.0.1:0")?;
        let to = ours.local_addr()?;
        let event_loop = asyncio::get_running_loop()?;
        let echo = Echo::new(true);
        let protocol = echo.clone();
        let create = event_loop.create_datagram_endpoint(move || protocol);
        let (transport, _) = create.with_sock(ours).await?;
        let other = UdpSocket::bind("127.0.0.1:0")?;
        other.send_to(b"ping", to)?;
        until(|| echo.log.len() == 2).await?;
        let mut buffer = [0; 10];
        let (length, from) = other.recv_from(&mut buffer)?;
        assert_eq!((&buffer[..length], from), (b"PING".as_slice(), to));
        transport.close();
        Ok(())
    });
}
