//! Sockets and files of another kind than a call is for.

use std::net::{TcpListener, UdpSocket};

use hilos::asyncio::{self, Exception};

use super::{Nothing, refused};
use crate::support::{fails, run};

#[test]
fn a_socket_of_another_kind() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let stream = || TcpListener::bind("127.0.0.1:0");
        let shown = |socket: &TcpListener| {
            use std::os::fd::AsRawFd;
            let (fd, port) = (socket.as_raw_fd(), socket.local_addr()?.port());
            let shown = format!("fd={fd}, family=2, type=1, proto=6, laddr=('127.0.0.1', {port})");
            Ok::<_, Exception>(format!("<socket.socket {shown}>"))
        };
        let socket = stream()?;
        let message = format!(
            "A UNIX Domain Stream Socket was expected, got {}",
            shown(&socket)?
        );
        let create = event_loop.create_unix_server_on(|| Nothing, socket).await;
        refused(create, "ValueError", &message);
        let socket = stream()?;
        let message = format!("A datagram socket was expected, got {}", shown(&socket)?);
        let create = event_loop.create_datagram_endpoint(|| Nothing);
        refused(create.with_sock(socket).await, "ValueError", &message);
        let create = event_loop.create_connection_over(|| Nothing, UdpSocket::bind("0.0.0.0:0")?);
        let message = fails(create.await.map(drop), "ValueError");
        let start = "A Stream Socket was expected, got <socket.socket fd=";
        assert!(message.starts_with(start), "{message}");
        assert!(
            message.contains(", family=2, type=2, proto=17, laddr=('0.0.0.0', "),
            "{message}"
        );
        let none = event_loop.create_datagram_endpoint(|| Nothing).await;
        refused(none, "ValueError", "unexpected address family");
        Ok(())
    });
}

#[test]
fn a_file_for_a_pipe() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let file = || std::fs::File::open("/etc/passwd");
        let read = event_loop.connect_read_pipe(|| Nothing, file()?).await;
        refused(
            read,
            "ValueError",
            "Pipe transport is for pipes/sockets only.",
        );
        let write = event_loop.connect_write_pipe(|| Nothing, file()?).await;
        let message = "Pipe transport is only for pipes, sockets and character devices";
        refused(write, "ValueError", message);
        Ok(())
    });
}
