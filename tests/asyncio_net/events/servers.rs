//! Servers as a loop makes them: where they listen.

use std::cell::RefCell;
use std::io::Write;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{self, Result, Server};

use super::{Counter, unused_port};
use crate::support::{SocketPath, fails, port, run, until};

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
