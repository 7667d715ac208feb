//! Connections, servers and datagrams as a loop makes them.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{
    self, AddressFamily, DatagramProtocol, DatagramTransport, Exception, Protocol, Result, Server,
    Transport,
};
use hilos::asyncio::{Address, EventLoop};

use crate::support::{Httpd, SocketPath, fails, port, run, unix_httpd, until};

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

/// Asks for a page and reads it to its end.
async fn fetch(connection: (Transport, Rc<Counter>)) -> Result<()> {
    let (transport, counter) = connection;
    assert!(counter.transport().is(&transport));
    assert!(transport.get_extra_info("sockname").is_some());
    transport.write("GET / HTTP/1.0\r\n\r\n")?;
    until(|| counter.lost.get()).await?;
    assert!(counter.received.get() > 0 && counter.ended.get());
    transport.close();
    Ok(())
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection
#[test]
fn a_connection_reads_to_the_end() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let httpd = Httpd::start();
        let (host, port) = (httpd.address.ip().to_string(), httpd.address.port());
        let counter = Counter::default;
        fetch(event_loop.create_connection(counter, &host, port).await?).await?;
        httpd.join();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_connection
#[test]
fn a_connection_to_a_path_reads_to_the_end() {
    let path = SocketPath::new("events-client");
    let httpd = unix_httpd(path.path());
    run(async move {
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_unix_connection(Counter::default, path.path());
        fetch(create.await?).await
    });
    httpd.join().unwrap();
}

/// A port that nobody listens on just now.
fn unused_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr
#[test]
fn a_connection_comes_from_the_port_it_is_given() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let httpd = Httpd::start();
        let ours = unused_port();
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", httpd.address.port());
        let (transport, counter) = create.with_local_addr("127.0.0.1", ours).await?;
        let sockname = transport.get_extra_info("sockname").unwrap();
        assert_eq!(sockname.as_address().unwrap().port(), Some(ours));
        transport.close();
        until(|| counter.lost.get()).await?;
        httpd.join();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr_skip_different_family
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr_nomatch_family
#[test]
fn a_connection_comes_from_an_address_of_its_own_family() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let unused = unused_port();
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", unused);
        let refused = create.with_local_addr("127.0.0.1", 0).await.map(drop);
        fails(refused, "ConnectionRefusedError");
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", unused);
        let create = create.with_local_addr("::1", 0).await.map(drop);
        assert_eq!(
            fails(create, "OSError"),
            "no matching local address with family=<AddressFamily.AF_INET: 2> found"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr_in_use
#[test]
fn a_connection_cannot_come_from_where_somebody_listens() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", port);
        let create = create.with_local_addr("127.0.0.1", port).await.map(drop);
        let expected = format!(
            "[Errno 98] error while attempting to bind on address ('127.0.0.1', {port}): \
             [errno 98] address already in use"
        );
        assert_eq!(fails(create, "OSError"), expected);
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_connect_accepted_socket
#[test]
fn a_connection_accepted_elsewhere_gets_a_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"test data").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        answer
    });
    let (accepted, _) = listener.accept().unwrap();
    let counter = Rc::new(Counter {
        answer: b"roger",
        ..Counter::default()
    });
    let protocol = counter.clone();
    run(async move {
        let event_loop = asyncio::get_running_loop()?;
        let connect = event_loop.create_connection_over(move || protocol, accepted);
        let (transport, _) = connect.await?;
        until(|| counter.lost.get()).await?;
        transport.close();
        assert_eq!(counter.received.get(), b"test data".len());
        Ok(())
    });
    assert_eq!(&client.join().unwrap(), b"roger");
}

/// Serves with one protocol, for one connection.
async fn serve(host: &str) -> Result<(Server, Rc<Counter>)> {
    let counter = Counter::new();
    let protocol = counter.clone();
    let event_loop = asyncio::get_running_loop()?;
    let server = event_loop.create_server(move || protocol.clone(), host, 0);
    Ok((server.await?, counter))
}

/// Sends three bytes by `client`, and closes the connection when they are there.
async fn exchange<C: Write>(mut client: C, counter: &Counter) -> Result<()> {
    client.write_all(b"xxx")?;
    until(|| counter.is_connected() && counter.received.get() > 0).await?;
    assert_eq!(counter.received.get(), 3);
    let transport = counter.transport();
    assert!(transport.get_extra_info("sockname").is_some());
    assert!(transport.get_extra_info("peername").is_some());
    transport.close();
    until(|| counter.lost.get()).await
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server
#[test]
fn a_server_on_all_addresses_is_reached_by_one() {
    run(async {
        let (server, counter) = serve("0.0.0.0").await?;
        let sockets = server.sockets();
        assert_eq!(sockets.len(), 1);
        let address = sockets[0].getsockname()?.as_inet().unwrap();
        assert_eq!(address.ip().to_string(), "0.0.0.0");
        let client = TcpStream::connect(("127.0.0.1", address.port()))?;
        let here = client.local_addr()?;
        exchange(client, &counter).await?;
        let peername = counter.transport().get_extra_info("peername").unwrap();
        assert_eq!(peername.as_address().unwrap().as_inet(), Some(here));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_trsock
#[test]
fn the_socket_of_a_server_can_be_looked_at_and_not_changed() {
    run(async {
        let (server, _) = serve("127.0.0.1").await?;
        let socket = &server.sockets()[0];
        let other: TcpListener = socket.dup()?;
        assert_eq!(other.local_addr()?.port(), port(&server));
        assert!(!socket.get_inheritable()?);
        assert!(socket.gettimeout() == 0.0);
        socket.settimeout(0)?;
        socket.setblocking(false)?;
        fails(socket.settimeout(1), "ValueError");
        fails(socket.setblocking(true), "ValueError");
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_multiple_hosts_ipv4
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_multiple_hosts_ipv6
#[test]
fn a_server_listens_once_on_each_of_its_hosts() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let hosts = async |hosts: [&str; 3], port| {
            let server = event_loop.create_server(Counter::new, hosts, port).await?;
            let addresses = server.sockets().into_iter().map(|socket| {
                let address = socket.getsockname()?;
                Ok(address.as_inet().unwrap().ip().to_string())
            });
            let addresses = addresses.collect::<Result<Vec<_>>>();
            server.close();
            addresses
        };
        let found = hosts(["127.0.0.1", "127.0.0.2", "127.0.0.1"], unused_port()).await?;
        assert_eq!(found, ["127.0.0.1", "127.0.0.2"]);
        let found = hosts(["::1", "127.0.0.3", "::1"], unused_port()).await?;
        assert_eq!(found, ["::1", "127.0.0.3"]);
        Ok(())
    });
}

/// Whether others may listen on the port of a server's first socket.
fn is_shared(server: &Server) -> Result<bool> {
    use nix::sys::socket::{getsockopt, sockopt::ReusePort};
    let shared = server.sockets()[0].with_fd(|fd| getsockopt(&fd, ReusePort))?;
    Ok(shared?)
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_reuse_port
#[test]
fn a_server_shares_its_port_only_if_it_is_told_to() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let create = || event_loop.create_server(Counter::new, "0.0.0.0", 0);
        let server = create().await?;
        assert!(!is_shared(&server)?);
        server.close();
        let server = create().with_reuse_port(true).await?;
        assert!(is_shared(&server)?);
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_server
#[test]
fn a_server_on_a_path_is_reached_by_it() {
    let path = SocketPath::new("events-server");
    run(async move {
        let event_loop = asyncio::get_running_loop()?;
        let counter = Counter::new();
        let protocol = counter.clone();
        let server = event_loop.create_unix_server(move || protocol.clone(), path.path());
        let server = server.await?;
        assert_eq!(server.sockets().len(), 1);
        exchange(UnixStream::connect(path.path())?, &counter).await?;
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_sock
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_addr_in_use
#[test]
fn a_server_takes_a_socket_that_is_bound() {
    use std::os::fd::AsRawFd;
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (fd, address) = (listener.as_raw_fd(), listener.local_addr()?);
        let counter = Counter::new();
        let protocol = counter.clone();
        let server = event_loop.create_server_on(move || protocol.clone(), listener);
        let server = server.await?;
        assert_eq!(server.sockets()[0].fileno(), fd);
        assert_eq!(port(&server), address.port());
        exchange(TcpStream::connect(address)?, &counter).await?;

        let create = event_loop.create_server(Counter::new, "127.0.0.1", address.port());
        let message = fails(create.await, "OSError");
        assert!(message.starts_with("[Errno 98] "), "{message}");
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_dual_stack
#[test]
fn a_server_without_a_host_serves_both_families() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let counters: Rc<RefCell<Vec<Rc<Counter>>>> = Rc::default();
        let made = counters.clone();
        let factory = move || {
            let counter = Counter::new();
            made.borrow_mut().push(counter.clone());
            counter
        };
        let server = event_loop.create_server(factory, None, unused_port());
        let server = server.await?;
        let port = port(&server);
        for (count, host) in [(1, "127.0.0.1"), (2, "::1")] {
            let client = TcpStream::connect((host.parse::<IpAddr>()?, port))?;
            until(|| counters.borrow().len() == count).await?;
            let counter = counters.borrow()[count - 1].clone();
            exchange(client, &counter).await?;
        }
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_server_close
#[test]
fn a_closed_server_refuses() {
    run(async {
        let (server, _) = serve("127.0.0.1").await?;
        let address = server.sockets()[0].getsockname()?.as_inet().unwrap();
        TcpStream::connect(address)?.write_all(b"xxx")?;
        server.close();
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        Ok(())
    });
}

/// A server that counts its connections.
async fn counting(backlog: u32) -> Result<(Server, Rc<Cell<usize>>)> {
    let made = Rc::new(Cell::new(0));
    let count = made.clone();
    let factory = move || {
        count.set(count.get() + 1);
        Counter::default()
    };
    let event_loop = asyncio::get_running_loop()?;
    let server = event_loop.create_server(factory, "127.0.0.1", 0);
    Ok((server.with_backlog(backlog).await?, made))
}

// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_accept_connection_multiple
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_accept_connection_zero_one
#[test]
fn connections_that_wait_are_accepted_together() {
    run(async {
        for (backlog, waiting) in [(0, 1), (1, 2), (100, 50)] {
            let (server, made) = counting(backlog).await?;
            let address = ("127.0.0.1", port(&server));
            let connect = || TcpStream::connect(address);
            let clients = (0..waiting)
                .map(|_| connect())
                .collect::<Result<Vec<_>, _>>()?;
            while made.get() == 0 {
                asyncio::sleep(0).await?;
            }
            assert_eq!(made.get(), waiting);
            drop(clients);
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_accept_connection_skip_connectionabortederror
#[test]
fn connections_that_are_gone_do_not_keep_others_from_being_accepted() {
    use nix::sys::socket::{setsockopt, sockopt::Linger};
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    run(async move {
        let accepted = Rc::new(Cell::new(0));
        let count = accepted.clone();
        let answer = async move |_, writer: asyncio::StreamWriter| {
            count.set(count.get() + 1);
            writer.write(b"here")?;
            writer.close();
            Ok(())
        };
        let server = asyncio::start_server(answer, "127.0.0.1", 0).await?;
        let address = ("127.0.0.1", port(&server));
        for _ in 0..5 {
            // It is reset before the server looks.
            let gone = TcpStream::connect(address)?;
            setsockopt(&gone, Linger, &at_once)?;
            drop(gone);
        }
        let mut stays = TcpStream::connect(address)?;
        until(|| accepted.get() >= 6).await?;
        let mut answer = [0; 4];
        stays.read_exact(&mut answer)?;
        assert_eq!(&answer, b"here");
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::TestServer::test_get_loop
#[test]
fn a_server_knows_its_loop() {
    run(async {
        let (server, _) = serve("127.0.0.1").await?;
        assert!(server.get_loop().is(&asyncio::get_running_loop()?));
        server.close();
        server.wait_closed().await
    });
}

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
