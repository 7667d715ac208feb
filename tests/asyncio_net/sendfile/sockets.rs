//! `sock_sendfile`: files over sockets of the program's own.

use std::io::{Seek, Write};
use std::net::{TcpStream, UdpSocket};
use std::rc::Rc;

use hilos::asyncio::{Result, SendfileNotAvailableError, Server, get_running_loop};
use nix::sys::socket::{setsockopt, sockopt};

use super::{BUFFER, Receiver, refuse_sendfile, serve};
use crate::sample::{LENGTH, Sample, data};
use crate::support::{fails, run};

/// A socket of the program's own, and the protocol at its other end.
async fn connected_socket() -> Result<(Server, TcpStream, Rc<Receiver>)> {
    let receiver = Receiver::new(0);
    let (server, address) = serve(&receiver).await?;
    let sock = TcpStream::connect(address)?;
    sock.set_nonblocking(true)?;
    setsockopt(&sock, sockopt::SndBuf, &BUFFER)?;
    Ok((server, sock, receiver))
}

/// Closes `sock`, and returns what has come to its other end.
async fn all_received(sock: TcpStream, receiver: &Receiver) -> Result<Vec<u8>> {
    drop(sock);
    (&receiver.done).await?;
    Ok(receiver.take())
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_success
#[test]
fn a_socket_is_sent_a_whole_file() {
    run(a_whole_file_arrives(false));
}

/// Also where the system refuses to send it.
async fn a_whole_file_arrives(refused: bool) -> Result<()> {
    let sample = Sample::new();
    let (server, sock, receiver) = connected_socket().await?;
    if refused {
        refuse_sendfile(&sock);
    }
    let event_loop = get_running_loop()?;
    let sent = event_loop.sock_sendfile(&sock, &sample.file).await?;
    let received = all_received(sock, &receiver).await?;
    assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
    assert!(received == data());
    server.close();
    Ok(())
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_with_offset_and_count
#[test]
fn a_socket_is_sent_a_part_of_a_file() {
    run(a_part_of_a_file_arrives(false));
}

/// Also where the system refuses to send it.
async fn a_part_of_a_file_arrives(refused: bool) -> Result<()> {
    let sample = Sample::new();
    let (server, sock, receiver) = connected_socket().await?;
    if refused {
        refuse_sendfile(&sock);
    }
    let event_loop = get_running_loop()?;
    let sending = event_loop.sock_sendfile(&sock, &sample.file);
    let sent = sending.with_offset(1000).with_count(2000).await?;
    let received = all_received(sock, &receiver).await?;
    assert_eq!((sent, sample.tell()), (2000, 3000));
    assert!(received == data()[1000..3000]);
    server.close();
    Ok(())
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_zero_size
#[test]
fn an_empty_file_is_sent_at_once() {
    run(async {
        let empty = Sample::of(b"");
        let (server, sock, receiver) = connected_socket().await?;
        let sent = get_running_loop()?
            .sock_sendfile(&sock, &empty.file)
            .await?;
        let received = all_received(sock, &receiver).await?;
        assert_eq!((sent, empty.tell(), received.len()), (0, 0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_mix_with_regular_send
#[test]
fn files_and_bytes_arrive_in_order() {
    run(async {
        let sample = Sample::new();
        let around = b"mix_regular_send".repeat(4 * 1024);
        let (server, sock, receiver) = connected_socket().await?;
        let event_loop = get_running_loop()?;
        event_loop.sock_sendall(&sock, &around).await?;
        let sent = event_loop.sock_sendfile(&sock, &sample.file).await?;
        event_loop.sock_sendall(&sock, &around).await?;
        let received = all_received(sock, &receiver).await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        assert!(received == [around.clone(), data(), around].concat());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_offset
#[test]
fn where_the_file_stands_does_not_matter() {
    run(async {
        let sample = Sample::new();
        let event_loop = get_running_loop()?;
        for refused in [false, true] {
            (&sample.file).seek(std::io::SeekFrom::Start(1000))?;
            let (server, sock, receiver) = connected_socket().await?;
            if refused {
                refuse_sendfile(&sock);
            }
            let sending = event_loop.sock_sendfile(&sock, &sample.file);
            assert_eq!(sending.with_count(2000).await?, 2000);
            let received = all_received(sock, &receiver).await?;
            assert!(received == data()[..2000], "refused: {refused}");
            assert_eq!(sample.tell(), 2000);
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_sock_sendfile_no_fallback
#[test]
fn without_the_fallback_a_socket_that_the_system_refuses_is_an_error() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        refuse_sendfile(&sock);
        let event_loop = get_running_loop()?;
        let sending = event_loop.sock_sendfile(&sock, &sample.file);
        let exception = sending.with_fallback(false).await.unwrap_err();
        assert!(exception.is::<SendfileNotAvailableError>());
        assert_eq!(
            format!("{exception:?}"),
            "SendfileNotAvailableError: os.sendfile call failed"
        );
        let received = all_received(sock, &receiver).await?;
        assert_eq!((sample.tell(), received.len()), (0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_sock_sendfile_fallback
#[test]
fn a_socket_that_the_system_refuses_is_written_to() {
    run(a_whole_file_arrives(true));
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_sock_sendfile_fallback_offset_and_count
#[test]
fn the_fallback_sends_parts_too() {
    run(a_part_of_a_file_arrives(true));
}

#[test]
fn a_pipe_is_read_and_written() {
    run(async {
        let (server, sock, receiver) = connected_socket().await?;
        let (reader, mut writer) = std::io::pipe()?;
        writer.write_all(b"0123456789")?;
        let event_loop = get_running_loop()?;
        let sending = event_loop.sock_sendfile(&sock, &reader);
        assert_eq!(sending.with_count(6).await?, 6);
        assert_eq!(all_received(sock, &receiver).await?, b"012345");
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_blocking_socket
// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_nonstream_socket
#[test]
fn bad_sockets_and_counts_are_refused() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        let event_loop = get_running_loop()?;
        sock.set_nonblocking(false)?;
        event_loop.set_debug(true);
        let blocking = event_loop.sock_sendfile(&sock, &sample.file).await;
        event_loop.set_debug(false);
        let message = fails(blocking, "ValueError");
        assert_eq!(message, "the socket must be non-blocking");
        let datagrams = UdpSocket::bind("127.0.0.1:0")?;
        let message = fails(
            event_loop.sock_sendfile(&datagrams, &sample.file).await,
            "ValueError",
        );
        assert_eq!(message, "only SOCK_STREAM type sockets are supported");
        let none = event_loop.sock_sendfile(&sock, &sample.file).with_count(0);
        let message = fails(none.await, "ValueError");
        assert_eq!(message, "count must be a positive integer (got 0)");
        let received = all_received(sock, &receiver).await?;
        assert_eq!((sample.tell(), received.len()), (0, 0));
        server.close();
        Ok(())
    });
}
