//! What the sockets of datagrams are made of.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

use hilos::asyncio::{AddressFamily, get_running_loop};
use nix::sys::socket::{getsockopt, sockopt};

use super::{Datagrams, socket_of};
use crate::support::{SocketPath, fails, run, until};

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
