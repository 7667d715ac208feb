//! Clients and servers that talk over sockets of streams.

use std::future::ready;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;

use hilos::asyncio::{Address, Result, create_task, get_running_loop};
use nix::sys::socket::{AddressFamily, shutdown};

use super::{REQUEST, inet_socket, nonblocking_listener, recv_all, stream_socket};
use crate::support::{Httpd, SocketPath, fails, run, unix_httpd};

async fn recv_into_all(sock: &OwnedFd) -> Result<Vec<u8>> {
    let event_loop = get_running_loop()?;
    let (mut buffer, mut all) = ([0; 7], Vec::new());
    loop {
        match event_loop.sock_recv_into(sock, &mut buffer).await? {
            0 => return Ok(all),
            count => all.extend(&buffer[..count]),
        }
    }
}

async fn ask<A: Into<Address> + Clone>(family: AddressFamily, address: A) -> Result<()> {
    let event_loop = get_running_loop()?;
    let sock = stream_socket(family);
    event_loop.sock_connect(&sock, address).await?;
    event_loop.sock_sendall(&sock, REQUEST).await?;
    let data = recv_all(&sock).await?;
    assert!(data.starts_with(b"HTTP/1.0 200 OK"));
    Ok(())
}

async fn ask_into<A: Into<Address>>(family: AddressFamily, address: A) -> Result<()> {
    let event_loop = get_running_loop()?;
    let sock = stream_socket(family);
    event_loop.sock_connect(&sock, address).await?;
    event_loop.sock_sendall(&sock, REQUEST).await?;
    let data = recv_into_all(&sock).await?;
    assert!(data.starts_with(b"HTTP/1.0 200 OK"));
    Ok(())
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_sock_client_ops
#[test]
fn a_client_connects_sends_and_receives() {
    let servers = [Httpd::start(), Httpd::start()];
    let addresses = [servers[0].address, servers[1].address];
    run(async move {
        ask(AddressFamily::Inet, addresses[0]).await?;
        ask_into(AddressFamily::Inet, addresses[1]).await
    });
    servers.into_iter().for_each(Httpd::join);
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_unix_sock_client_ops
#[test]
fn a_client_of_a_unix_socket_does_too() {
    let paths = ["one", "two"].map(|name| SocketPath::new(&format!("sock-{name}")));
    let servers = paths.each_ref().map(|path| unix_httpd(path.path()));
    let addresses = paths
        .each_ref()
        .map(|path| Address::Unix(path.path().to_owned()));
    run(async move {
        let [one, two] = addresses;
        ask(AddressFamily::Unix, one).await?;
        ask_into(AddressFamily::Unix, two).await
    });
    for server in servers {
        server.join().unwrap();
    }
}

// The first half of CPython's `_basetest_sock_client_ops`.
#[test]
fn debug_mode_refuses_a_socket_that_blocks() {
    let (listener, address) = nonblocking_listener();
    listener.set_nonblocking(false).unwrap();
    run(async move {
        let event_loop = get_running_loop()?;
        event_loop.set_debug(true);
        let message = fails(event_loop.sock_recv(&listener, 1024).await, "ValueError");
        assert_eq!(message, "the socket must be non-blocking");
        let accepted = event_loop.sock_accept::<_, TcpStream>(&listener).await;
        fails(accepted, "ValueError");
        fails(
            event_loop.sock_connect(&listener, address).await,
            "ValueError",
        );
        fails(
            event_loop.sock_sendall(&listener, REQUEST).await,
            "ValueError",
        );
        fails(
            event_loop.sock_recv_into(&listener, &mut []).await,
            "ValueError",
        );
        fails(event_loop.sock_recvfrom(&listener, 9).await, "ValueError");
        fails(
            event_loop.sock_sendto(&listener, b"x", address).await,
            "ValueError",
        );
        event_loop.set_debug(false);
        Ok(())
    });
}

/// Sends back all that comes, of one connection, from a thread.
fn echo_server() -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = vec![0; 65536];
        while let count @ 1.. = stream.read(&mut buffer).unwrap() {
            stream.write_all(&buffer[..count]).unwrap();
        }
    });
    (address, thread)
}

async fn send_much<R, F>(address: SocketAddr, receive: R) -> Result<()>
where
    R: FnOnce(Rc<OwnedFd>) -> F,
    F: Future<Output = Result<Vec<u8>>>,
{
    let event_loop = get_running_loop()?;
    let data: Vec<u8> = b"0123456789".repeat(100_000);
    let sock = inet_socket();
    event_loop.sock_connect(&sock, address).await?;
    let (sender, sent) = (sock.clone(), data.clone());
    let task = create_task(async move {
        let event_loop = get_running_loop()?;
        event_loop.sock_sendall(&sender, &sent).await?;
        shutdown(
            std::os::fd::AsRawFd::as_raw_fd(&*sender),
            nix::sys::socket::Shutdown::Write,
        )?;
        Ok(())
    });
    assert!(receive(sock).await? == data);
    task.await
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_huge_content
#[test]
fn much_data_comes_in_its_order() {
    let (address, server) = echo_server();
    run(send_much(address, async |sock| recv_all(&sock).await));
    server.join().unwrap();
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_huge_content_recvinto
#[test]
fn much_data_comes_into_a_buffer() {
    let (address, server) = echo_server();
    run(send_much(address, async |sock| {
        let event_loop = get_running_loop()?;
        let (mut buffer, mut filled) = (vec![0; 1_000_000], 0);
        while filled < buffer.len() {
            filled += event_loop
                .sock_recv_into(&sock, &mut buffer[filled..])
                .await?;
        }
        assert_eq!(event_loop.sock_recv(&sock, 1).await?, b"");
        Ok(buffer)
    }));
    server.join().unwrap();
}

#[test]
fn a_call_that_need_not_wait_does_not() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.write_all(b"here").unwrap();
    run(async move {
        let event_loop = get_running_loop()?;
        let other = create_task(async { ready(Ok(())).await });
        assert_eq!(event_loop.sock_recv(&ours, 9).await?, b"here");
        assert!(!other.done());
        other.await
    });
}
