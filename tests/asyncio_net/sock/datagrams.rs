//! Datagrams by the loop's calls.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::thread;

use hilos::asyncio::{Address, create_task, get_running_loop, sleep};

use crate::support::{SocketPath, run};

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
