//! Connections that are accepted, refused, or never come.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use hilos::asyncio::{get_running_loop, wait_for};

use super::{inet_socket, nonblocking_listener};
use crate::support::{fails, run};

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_sock_client_fail
#[test]
fn a_connection_may_be_refused() {
    let (listener, address) = nonblocking_listener();
    drop(listener);
    run(async move {
        let event_loop = get_running_loop()?;
        let refused = event_loop.sock_connect(&inet_socket(), address).await;
        let message = fails(refused, "ConnectionRefusedError");
        let expected = format!(
            "[Errno 111] Connect call failed ('127.0.0.1', {})",
            address.port()
        );
        assert_eq!(message, expected);
        Ok(())
    });
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_sock_accept
#[test]
fn a_connection_is_accepted() {
    let (listener, address) = nonblocking_listener();
    let client = TcpStream::connect(address).unwrap();
    let expected = client.local_addr().unwrap();
    run(async move {
        let event_loop = get_running_loop()?;
        let (mut connection, from): (TcpStream, _) = event_loop.sock_accept(&listener).await?;
        assert_eq!(from, expected.into());
        let error = connection.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        Ok(())
    });
    assert_eq!(client.peer_addr().unwrap(), address);
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_cancel_sock_accept
#[test]
fn nobody_may_come() {
    let (listener, address) = nonblocking_listener();
    run(async move {
        let event_loop = get_running_loop()?;
        let accepting = async move {
            let event_loop = get_running_loop()?;
            event_loop.sock_accept::<_, TcpStream>(&listener).await
        };
        fails(wait_for(accepting, 0.05).await, "TimeoutError");
        let refused = event_loop.sock_connect(&inet_socket(), address).await;
        fails(refused, "ConnectionRefusedError");
        Ok(())
    });
}
