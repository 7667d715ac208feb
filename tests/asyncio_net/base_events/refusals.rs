//! Sockets of another kind than is asked for, and addresses that are taken.

use std::net::{TcpListener, UdpSocket};

use hilos::asyncio::get_running_loop;

use super::{Datagrams, Nothing};
use crate::addresses::resolve_to;
use crate::support::{fails, run};

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
