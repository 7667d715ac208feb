//! `test_base_events.py`: what connections, servers and datagrams are made of, and what is refused.

use std::cell::Cell;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::rc::Rc;

use hilos::asyncio::{
    self, AddressFamily, DatagramProtocol, DatagramTransport, Exception, Future, Protocol, Result,
    StreamReader, StreamWriter, TransportSocket, get_running_loop, open_connection, start_server,
};
use nix::sys::socket::{getsockopt, sockopt};

use crate::addresses::{Refusing, Silent, has_ipv6, resolve_to};
use crate::support::{SocketPath, fails, port, run, until};

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

/// Fails the test if the loop has to look a name up.
fn forbid_lookups() {
    let event_loop = get_running_loop().unwrap();
    event_loop.set_resolver(async |_, _, _| panic!("an address needs no lookup"));
}

fn socket_of(transport: &DatagramTransport) -> TransportSocket {
    let socket = transport.get_extra_info("socket").unwrap();
    socket.as_socket().unwrap().clone()
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_multiple_errors
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_multiple
#[test]
fn each_address_is_tried() {
    run(async {
        let refusing = [Refusing::new("127.0.0.1"), Refusing::new("127.0.0.2")];
        resolve_to(refusing.each_ref().map(|refusing| refusing.address));
        let event_loop = get_running_loop()?;
        let create = || event_loop.create_connection(|| Nothing, "example.com", 80);
        let messages = refusing.each_ref().map(Refusing::message);
        let message = fails(create().await.map(drop), "OSError");
        assert_eq!(
            message,
            format!("Multiple exceptions: {}", messages.join(", "))
        );
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        let group = exception.group().unwrap();
        assert_eq!(group.message(), "create_connection failed");
        let failures = group.exceptions().iter();
        assert_eq!(
            failures.map(ToString::to_string).collect::<Vec<_>>(),
            messages
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_connect_err
#[test]
fn errors_that_say_the_same_are_one() {
    run(async {
        let refusing = Refusing::new("127.0.0.1");
        resolve_to([refusing.address, refusing.address]);
        let event_loop = get_running_loop()?;
        let create = || event_loop.create_connection(|| Nothing, "example.com", 80);
        let message = fails(create().await.map(drop), "ConnectionRefusedError");
        assert_eq!(message, refusing.message());
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        assert_eq!(exception.group().unwrap().exceptions().len(), 2);
        resolve_to([refusing.address]);
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        let [only] = exception.group().unwrap().exceptions() else {
            panic!("{exception:?}");
        };
        assert_eq!(only.type_name(), "ConnectionRefusedError");
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_multiple_errors_local_addr
#[test]
fn a_local_address_that_is_taken_is_among_the_errors() {
    run(async {
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let taken = taken.local_addr().map(|address| (taken, address))?;
        let refusing = [Refusing::new("127.0.0.2"), Refusing::new("127.0.0.3")];
        let remote = refusing.each_ref().map(|refusing| refusing.address);
        let local = [taken.1, SocketAddr::from(([127, 0, 0, 4], 0))];
        let event_loop = get_running_loop()?;
        event_loop.set_resolver(async move |host: Option<String>, _, _| match host {
            Some(_) => Ok(remote.to_vec()),
            None => Ok(local.to_vec()),
        });
        let create = || {
            let create = event_loop.create_connection(|| Nothing, "example.com", 80);
            create.with_local_addr("", 8080)
        };
        let bind = format!(
            "[Errno 98] error while attempting to bind on address ('127.0.0.1', {}): [errno 98] \
             address already in use",
            taken.1.port()
        );
        let [first, second] = refusing.each_ref().map(Refusing::message);
        let expected = [bind.clone(), first, bind, second];
        let message = fails(create().await.map(drop), "OSError");
        assert_eq!(
            message,
            format!("Multiple exceptions: {}", expected.join(", "))
        );
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        let failures = exception.group().unwrap().exceptions().iter();
        assert_eq!(
            failures.map(ToString::to_string).collect::<Vec<_>>(),
            expected
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_timeout
#[test]
fn a_connection_that_takes_too_long_leaves_no_socket() {
    run(async {
        let silent = Silent::new("127.0.0.1");
        let port = silent.address.port();
        let from = TcpListener::bind("127.0.0.5:0")?.local_addr()?;
        let open = async move {
            let open = open_connection("127.0.0.1", port);
            open.with_local_addr("127.0.0.5", from.port())
                .await
                .map(drop)
        };
        let exception = asyncio::wait_for(open, 0.05).await.unwrap_err();
        assert!(exception.is_timeout());
        // Nobody has the address any more.
        TcpListener::bind(from)?;
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_no_getaddrinfo
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_no_local_addr
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_empty_host
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_no_getaddrinfo
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_no_addrinfo
#[test]
fn a_name_that_stands_for_nothing_is_an_error() {
    run(async {
        let event_loop = get_running_loop()?;
        resolve_to([]);
        let create = event_loop.create_connection(|| Nothing, "example.com", 80);
        let message = fails(create.await.map(drop), "OSError");
        assert_eq!(message, "getaddrinfo() returned empty list");
        let local = event_loop.create_connection(|| Nothing, "127.0.0.1", 80);
        let local = local.with_local_addr("", 8080).await.map(drop);
        let message = fails(local, "OSError");
        assert_eq!(message, "getaddrinfo() returned empty list");
        let server = event_loop.create_server(|| Nothing, "python.org", 0).await;
        let message = fails(server, "OSError");
        assert_eq!(message, "getaddrinfo('python.org') returned empty list");
        let server = event_loop.create_server(|| Nothing, "", 0).await;
        let message = fails(server, "OSError");
        assert_eq!(message, "getaddrinfo(None) returned empty list");
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint.with_local_addr("localhost", 0).await.map(drop);
        let message = fails(endpoint, "OSError");
        assert_eq!(message, "getaddrinfo() returned empty list");
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_ip_addr
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_ip_addr
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_ipv6
#[test]
fn an_address_is_not_looked_up() {
    run(async {
        forbid_lookups();
        let hosts = match has_ipv6() {
            true => ["127.0.0.1", "::1"].as_slice(),
            false => &["127.0.0.1"],
        };
        for host in hosts {
            let server = start_server(close, *host, 0).await?;
            assert!(!server.sockets().is_empty());
            let (_, writer) = open_connection(host, port(&server)).await?;
            let peername = writer.get_extra_info("peername").unwrap();
            let peername = peername.as_address().unwrap().as_inet().unwrap();
            assert_eq!(peername, SocketAddr::new(host.parse()?, port(&server)));
            writer.close();
            server.close();
            server.wait_closed().await?;
            let event_loop = get_running_loop()?;
            let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
            let endpoint = endpoint.with_local_addr(host, 0).with_reuse_port(true);
            let (transport, _) = endpoint.await?;
            let bound = socket_of(&transport).getsockname()?.as_inet().unwrap();
            assert_eq!(bound.ip().to_string(), *host);
            transport.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_ipv6_scope
#[test]
fn an_address_may_say_on_which_link_it_is() {
    if !has_ipv6() {
        return;
    }
    run(async {
        let event_loop = get_running_loop()?;
        let found = event_loop
            .getaddrinfo("fe80::1%1", 80, AddressFamily::Unspec)
            .await?;
        let [SocketAddr::V6(found)] = found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(found.ip().to_string(), "fe80::1");
        assert_eq!((found.port(), found.scope_id()), (80, 1));
        let server = start_server(close, "::1", 0).await?;
        let (reader, writer) = open_connection("::1%1", port(&server)).await?;
        assert_eq!(reader.read_to_end().await?, b"");
        writer.close();
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_wrong_sock
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_wrong_sock
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_wrong_sock
#[test]
fn streams_and_datagrams_are_not_mixed_up() {
    run(async {
        let event_loop = get_running_loop()?;
        let datagrams = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let create = event_loop.create_connection_over(|| Nothing, datagrams());
        let message = fails(create.await.map(drop), "ValueError");
        assert!(message.starts_with("A Stream Socket was expected, got <socket.socket fd="));
        let create = event_loop.create_server_on(|| Nothing, datagrams());
        let message = fails(create.await, "ValueError");
        assert!(message.starts_with("A Stream Socket was expected, got <socket.socket fd="));
        let create = event_loop.create_datagram_endpoint(Datagrams::new);
        let create = create.with_sock(TcpListener::bind("127.0.0.1:0")?);
        let message = fails(create.await.map(drop), "ValueError");
        assert!(message.starts_with("A datagram socket was expected, got <socket.socket fd="));
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_cant_bind
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_cant_bind
#[test]
fn an_address_that_is_taken_leaves_no_socket() {
    run(async {
        let event_loop = get_running_loop()?;
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let free = TcpListener::bind("127.0.0.6:0")?.local_addr()?;
        resolve_to([free, taken.local_addr()?]);
        let server = event_loop.create_server(|| Nothing, "example.com", 0).await;
        let message = fails(server, "OSError");
        assert!(message.ends_with("[errno 98] address already in use"));
        TcpListener::bind(free)?;

        let taken = UdpSocket::bind("127.0.0.1:0")?;
        let taken = taken.local_addr().map(|address| (taken, address))?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint.with_local_addr("127.0.0.1", taken.1.port());
        let message = fails(endpoint.await.map(drop), "OSError");
        assert_eq!(message, "[Errno 98] Address already in use");
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_connect_err
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_allow_broadcast
#[test]
fn all_at_once_are_no_address_to_connect_to() {
    run(async {
        let event_loop = get_running_loop()?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint.with_remote_addr("255.255.255.255", 9);
        fails(endpoint.await.map(drop), "PermissionError");

        let receiver = UdpSocket::bind("127.0.0.1:0")?;
        let to = receiver.local_addr()?.port();
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint.with_remote_addr("127.0.0.1", to);
        let (transport, protocol) = endpoint.with_allow_broadcast(true).await?;
        let unconnected = socket_of(&transport).getpeername();
        fails(unconnected, "OSError");
        transport.sendto(b"x", None)?;
        let mut buffer = [0; 9];
        assert_eq!(receiver.recv(&mut buffer)?, 1);
        transport.close();
        (&protocol.done).await
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_no_matching_family
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_noaddr_nofamily
#[test]
fn datagrams_need_one_family() {
    run(async {
        let event_loop = get_running_loop()?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint
            .with_remote_addr("127.0.0.1", 0)
            .with_local_addr("::1", 0);
        let message = fails(endpoint.await.map(drop), "ValueError");
        assert_eq!(message, "can not get address information");
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let message = fails(endpoint.await.map(drop), "ValueError");
        assert_eq!(message, "unexpected address family");
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint
            .with_local_path("/no/such/directory/socket")
            .with_remote_addr("127.0.0.1", 9);
        let message = fails(endpoint.await.map(drop), "TypeError");
        assert_eq!(message, "string is expected");
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_sock
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_sock_unix
#[test]
fn datagrams_go_over_a_socket_of_ones_own() {
    run(async {
        let event_loop = get_running_loop()?;
        let ours = UdpSocket::bind("127.0.0.1:0")?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let (transport, protocol) = endpoint.with_sock(ours).await?;
        transport.close();
        (&protocol.done).await?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint.with_sock(UnixDatagram::unbound()?);
        let (transport, protocol) = endpoint.await?;
        assert_eq!(socket_of(&transport).family()?, libc::AF_UNIX);
        transport.close();
        (&protocol.done).await
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_existing_sock_unix
#[test]
fn datagrams_go_over_unix_sockets() {
    let path = SocketPath::new("datagrams");
    let at = path.path().to_owned();
    run(async move {
        // What another has left.
        drop(UnixDatagram::bind(&at)?);
        let event_loop = get_running_loop()?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let (server, received) = endpoint.with_local_path(&at).await?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let (client, sent) = endpoint.with_remote_path(&at).await?;
        assert_eq!(socket_of(&client).family()?, libc::AF_UNIX);
        client.sendto(b"x", None)?;
        until(|| received.received.get() == 1).await?;
        client.close();
        server.close();
        (&sent.done).await?;
        (&received.done).await?;
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let nobody = endpoint.with_remote_path("/no/such/socket").await.map(drop);
        fails(nobody, "FileNotFoundError");
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_sock_sockopts
#[test]
fn a_socket_of_ones_own_is_left_as_it_is() {
    run(async {
        let event_loop = get_running_loop()?;
        let create = || {
            let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
            let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
            endpoint.with_sock(ours)
        };
        let modified = [
            (
                create().with_local_addr("127.0.0.1", 0),
                "local_addr=('127.0.0.1', 0)",
            ),
            (
                create().with_remote_addr("::1", 7),
                "remote_addr=('::1', 7)",
            ),
            (create().with_local_path("/tmp/x"), "local_addr=/tmp/x"),
            (create().with_family(AddressFamily::Inet), "family=2"),
            (create().with_reuse_port(true), "reuse_port=True"),
            (
                create()
                    .with_allow_broadcast(true)
                    .with_family(AddressFamily::Inet6),
                "family=10, allow_broadcast=True",
            ),
        ];
        for (endpoint, problems) in modified {
            let message = fails(endpoint.await.map(drop), "ValueError");
            let expected = format!(
                "socket modifier keyword arguments can not be used when sock is specified. \
                 ({problems})"
            );
            assert_eq!(message, expected);
        }
        let (transport, _) = create().with_reuse_port(false).await?;
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_sockopts
#[test]
fn options_are_set_if_they_are_asked_for() {
    run(async {
        let event_loop = get_running_loop()?;
        for asked in [false, true] {
            let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
            let endpoint = endpoint.with_local_addr("127.0.0.1", 0);
            let endpoint = endpoint.with_reuse_port(asked).with_allow_broadcast(asked);
            let (transport, protocol) = endpoint.await?;
            let options = socket_of(&transport).with_fd(|fd| {
                let reuse_address = getsockopt(&fd, sockopt::ReuseAddr).unwrap();
                let reuse_port = getsockopt(&fd, sockopt::ReusePort).unwrap();
                (
                    reuse_address,
                    reuse_port,
                    getsockopt(&fd, sockopt::Broadcast).unwrap(),
                )
            });
            assert_eq!(options?, (false, asked, asked));
            transport.close();
            (&protocol.done).await?;
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_accept_connection_retry
#[test]
fn a_connection_that_another_took_does_no_harm() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        // Both are told of each connection, and one of them gets it.
        let first = asyncio::start_server_on(close, listener.try_clone()?).await?;
        let second = asyncio::start_server_on(close, listener).await?;
        for _ in 0..3 {
            let mut client = TcpStream::connect(address)?;
            let reading = asyncio::try_to_thread(move || client.read(&mut [0]));
            assert_eq!(reading.await?, 0);
        }
        assert!(first.is_serving() && second.is_serving());
        first.close();
        second.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::TestSelectorUtils::test_set_nodelay
#[test]
fn small_pieces_are_sent_at_once() {
    run(async {
        let server = start_server(
            async |_, writer: StreamWriter| {
                writer.write([u8::from(has_no_delay(&writer))])?;
                writer.close();
                Ok(())
            },
            "127.0.0.1",
            0,
        )
        .await?;
        let plain = TcpStream::connect(("127.0.0.1", port(&server)))?;
        assert!(!plain.nodelay()?);
        let (reader, writer) = asyncio::open_connection_over(plain).await?;
        assert!(has_no_delay(&writer));
        assert_eq!(reader.read_to_end().await?, [1]);
        writer.close();
        server.close();
        Ok(())
    });
}

fn has_no_delay(writer: &StreamWriter) -> bool {
    let socket = writer.get_extra_info("socket").unwrap();
    let socket = socket.as_socket().unwrap().clone();
    let option = socket.with_fd(|fd| getsockopt(&fd, sockopt::TcpNoDelay));
    option.unwrap().unwrap()
}
