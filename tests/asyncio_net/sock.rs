//! `test_sock_lowlevel.py`: the loop's calls for sockets of the program's own.

use std::future::ready;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;

use hilos::asyncio::{
    Address, Result, create_task, get_running_loop, new_event_loop, sleep, wait_for,
};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, setsockopt, shutdown, socket, sockopt::SndBuf,
};

use crate::support::{Httpd, SocketPath, fails, run, unix_httpd};

const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// A socket that is neither connected nor blocks.
fn stream_socket(family: AddressFamily) -> OwnedFd {
    socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap()
}

fn inet_socket() -> Rc<OwnedFd> {
    Rc::new(stream_socket(AddressFamily::Inet))
}

fn nonblocking_listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// All that comes until the end.
async fn recv_all(sock: &OwnedFd) -> Result<Vec<u8>> {
    let event_loop = get_running_loop()?;
    let mut all = Vec::new();
    loop {
        let data = event_loop.sock_recv(sock, 1024).await?;
        if data.is_empty() {
            return Ok(all);
        }
        all.extend(data);
    }
}

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

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_sock_client_racing
#[test]
fn a_cancelled_call_does_not_disturb_the_next() {
    let server = Httpd::start();
    let address = server.address;
    run(async move {
        let event_loop = get_running_loop()?;
        let sock = inet_socket();
        event_loop.sock_connect(&sock, address).await?;
        let receiver = sock.clone();
        let task = create_task(async move {
            let event_loop = get_running_loop()?;
            event_loop.sock_recv(&receiver, 1024).await
        });
        sleep(0).await?;
        task.cancel();
        let sender = sock.clone();
        let sending = create_task(async move {
            let event_loop = get_running_loop()?;
            event_loop.sock_sendall(&sender, REQUEST).await
        });
        let data = event_loop.sock_recv(&sock, 1024).await?;
        assert!(data.starts_with(b"HTTP/1.0 200 OK"));
        assert!(task.cancelled());
        sending.await
    });
    server.join();
}

// The third part of CPython's `test_sock_client_racing`.
#[test]
fn a_cancelled_sender_leaves_the_socket_to_the_next() {
    let (listener, address) = nonblocking_listener();
    run(async move {
        let event_loop = get_running_loop()?;
        let sock = inet_socket();
        setsockopt(&*sock, SndBuf, &1024)?;
        event_loop.sock_connect(&sock, address).await?;
        let (server, _) = event_loop.sock_accept::<_, OwnedFd>(&listener).await?;
        let mut stream = TcpStream::from(sock.try_clone()?);
        // Fill the buffer until not even 5 bytes could be sent.
        let mut size = 8192;
        while size >= 4 {
            while stream.write(&vec![b' '; size]).is_ok() {}
            size /= 2;
        }
        let sender = sock.clone();
        let task = create_task(async move {
            let event_loop = get_running_loop()?;
            event_loop.sock_sendall(&sender, b"hello").await
        });
        sleep(0).await?;
        task.cancel();
        let receiving = create_task(async move { recv_all(&server).await });
        event_loop.sock_sendall(&sock, b"world").await?;
        stream.shutdown(Shutdown::Write)?;
        let data = receiving.await?;
        assert_eq!(data.trim_ascii(), b"world");
        assert!(task.cancelled());
        Ok(())
    });
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_sock_client_connect_racing
#[test]
fn a_cancelled_connect_does_not_disturb_the_next() {
    run(async {
        let event_loop = get_running_loop()?;
        let bound = stream_socket(AddressFamily::Inet);
        nix::sys::socket::bind(
            std::os::fd::AsRawFd::as_raw_fd(&bound),
            &nix::sys::socket::SockaddrIn::new(127, 0, 0, 1, 0),
        )?;
        let address = TcpListener::from(bound.try_clone()?).local_addr()?;
        let sock = inet_socket();
        let connecting = sock.clone();
        let task = create_task(async move {
            let event_loop = get_running_loop()?;
            event_loop.sock_connect(&connecting, address).await
        });
        sleep(0).await?;
        task.cancel();
        // The system may have refused it at once.
        assert!(task.await.is_err());
        nix::sys::socket::listen(&bound, nix::sys::socket::Backlog::new(1)?)?;
        // The socket may tell first of the attempt that was refused.
        for _ in 0..128 {
            match event_loop.sock_connect(&sock, address).await {
                Err(error) if error.type_name() == "ConnectionRefusedError" => {}
                result => return result,
            }
        }
        panic!("the socket cannot be connected");
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

/// Sends back one datagram, from a thread.
fn udp_echo_server() -> (SocketAddr, thread::JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let mut buffer = [0; 8192];
        let (count, from) = socket.recv_from(&mut buffer).unwrap();
        socket.send_to(&buffer[..count], from).unwrap();
    });
    (address, thread)
}

fn udp_socket() -> UdpSocket {
    let sock = UdpSocket::bind("127.0.0.1:0").unwrap();
    sock.set_nonblocking(true).unwrap();
    sock
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_recvfrom
#[test]
fn a_datagram_comes_with_its_sender() {
    let (address, server) = udp_echo_server();
    run(async move {
        let event_loop = get_running_loop()?;
        let sock = udp_socket();
        let data = vec![1; 4096];
        assert_eq!(event_loop.sock_sendto(&sock, &data, address).await?, 4096);
        let (received, from) = event_loop.sock_recvfrom(&sock, 4096).await?;
        assert_eq!((received, from), (data, address.into()));
        Ok(())
    });
    server.join().unwrap();
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_recvfrom_into
#[test]
fn a_datagram_comes_into_a_buffer() {
    for size in [4096, 8192] {
        let (address, server) = udp_echo_server();
        run(async move {
            let event_loop = get_running_loop()?;
            let (sock, mut buffer) = (udp_socket(), vec![0; size]);
            event_loop.sock_sendto(&sock, &[1; 4096], address).await?;
            let into = event_loop.sock_recvfrom_into(&sock, &mut buffer);
            assert_eq!(into.await?, (4096, address.into()));
            assert_eq!(buffer[..4096], [1; 4096]);
            Ok(())
        });
        server.join().unwrap();
    }
}

// cpython: test_asyncio/test_sock_lowlevel.py::BaseSockTestsMixin::test_sendto_blocking
#[test]
fn a_datagram_waits_until_there_is_room() {
    let path = SocketPath::new("sendto");
    let receiver = std::os::unix::net::UnixDatagram::bind(path.path()).unwrap();
    receiver.set_nonblocking(true).unwrap();
    let address = Address::Unix(path.path().to_owned());
    run(async move {
        let event_loop = get_running_loop()?;
        let sock = std::os::unix::net::UnixDatagram::unbound()?;
        sock.set_nonblocking(true)?;
        // The receiver's queue is full at some time.
        let mut sent = 0;
        let full = loop {
            match sock.send_to(b"x", path.path()) {
                Ok(_) => sent += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        let sending = create_task(async move {
            let event_loop = get_running_loop()?;
            event_loop.sock_sendto(&sock, b"last", address).await
        });
        sleep(0).await?;
        sleep(0).await?;
        assert!(!sending.done());
        for _ in 0..sent {
            assert_eq!(event_loop.sock_recv(&receiver, 9).await?, b"x");
        }
        assert_eq!(sending.await?, 4);
        assert_eq!(event_loop.sock_recv(&receiver, 9).await?, b"last");
        Ok(())
    });
}

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

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_prompt_cancellation
#[test]
fn a_cancellation_is_prompt() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let event_loop = new_event_loop();
    let receiver = event_loop.clone();
    let task = event_loop
        .create_task(async move { receiver.sock_recv(&ours, 1).await })
        .unwrap();
    let (caller, waited) = (event_loop.clone(), task.clone());
    let main = event_loop
        .create_task(async move {
            let cancelled = waited.clone();
            caller.call_soon(move || {
                cancelled.cancel();
            })?;
            let result = (&waited).await;
            caller.stop();
            Ok(result.is_err_and(|error| error.is_cancelled()))
        })
        .unwrap();
    event_loop.run_forever().unwrap();
    assert!(main.result().unwrap());
    assert!(task.cancelled());
    event_loop.close().unwrap();
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
