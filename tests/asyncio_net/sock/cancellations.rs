//! Calls that are cancelled leave the socket to the next.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use hilos::asyncio::{create_task, get_running_loop, new_event_loop, sleep};
use nix::sys::socket::{AddressFamily, setsockopt, sockopt::SndBuf};

use super::{REQUEST, inet_socket, nonblocking_listener, recv_all, stream_socket};
use crate::support::{Httpd, run};

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
