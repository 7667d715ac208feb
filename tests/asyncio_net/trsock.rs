//! `TransportSocket`: what a program may do with a transport's socket.

use std::net::{Shutdown, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use hilos::asyncio::{self, Protocol, StreamReader, StreamWriter, TransportSocket};

use crate::support::{fails, port, run};

struct Nothing;
impl Protocol for Nothing {}

fn socket_of(writer: &StreamWriter) -> TransportSocket {
    let socket = writer.get_extra_info("socket").unwrap();
    socket.as_socket().unwrap().clone()
}

#[test]
fn it_tells_what_it_is() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let server = event_loop.create_server(|| Nothing, "127.0.0.1", 0).await?;
        let socket = server.sockets()[0].clone();
        assert_eq!(socket.family()?, libc::AF_INET);
        assert_eq!(socket.r#type()?, libc::SOCK_STREAM);
        assert_eq!(socket.proto()?, libc::IPPROTO_TCP);
        let fd = socket.fileno();
        let port = port(&server);
        let shown = format!(
            "<asyncio.TransportSocket fd={fd}, family=2, type=1, proto=6, \
             laddr=('127.0.0.1', {port})>"
        );
        assert_eq!(socket.to_string(), shown);
        let (ours, _theirs) = UnixStream::pair()?;
        let fd = ours.as_raw_fd();
        let (_, writer) = asyncio::open_connection_over(ours).await?;
        let shown = format!("<asyncio.TransportSocket fd={fd}, family=1, type=1, proto=0>");
        assert_eq!(socket_of(&writer).to_string(), shown);
        writer.close();
        server.close();
        assert_eq!(socket.to_string(), "<asyncio.TransportSocket fd=-1>");
        assert_eq!(fails(socket.family(), "OSError"), bad_descriptor());
        assert_eq!(fails(socket.dup::<OwnedFd>(), "OSError"), bad_descriptor());
        fails(socket.get_inheritable(), "OSError");
        fails(socket.shutdown(Shutdown::Both), "OSError");
        Ok(())
    });
}

fn bad_descriptor() -> String {
    let error = asyncio::Exception::from(std::io::Error::from_raw_os_error(libc::EBADF));
    error.to_string()
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_trsock
#[test]
fn it_never_waits() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let server = event_loop.create_server(|| Nothing, "127.0.0.1", 0).await?;
        let socket = server.sockets()[0].clone();
        assert_eq!(socket.gettimeout(), 0.0);
        socket.settimeout(0)?;
        socket.setblocking(false)?;
        let message = "settimeout(): only 0 timeout is allowed on transport sockets";
        assert_eq!(fails(socket.settimeout(1.5), "ValueError"), message);
        assert_eq!(fails(socket.settimeout(None), "ValueError"), message);
        let message = "setblocking(): transport sockets cannot be blocking";
        assert_eq!(fails(socket.setblocking(true), "ValueError"), message);
        let blocks = socket.with_fd(|fd| {
            let flags = nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_GETFL);
            flags.unwrap() & libc::O_NONBLOCK == 0
        });
        assert!(!blocks?);
        server.close();
        Ok(())
    });
}

#[test]
fn a_second_descriptor_outlives_the_transport() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let event_loop = asyncio::get_running_loop()?;
        let server = event_loop.create_server_on(|| Nothing, listener).await?;
        let socket = server.sockets()[0].clone();
        assert!(!socket.get_inheritable()?);
        let second: TcpListener = socket.dup()?;
        assert_ne!(second.as_raw_fd(), socket.fileno());
        server.close();
        assert_eq!(second.local_addr()?, address);
        Ok(())
    });
}

#[test]
fn it_is_shut_down_under_the_transport() {
    run(async {
        let (ours, theirs) = UnixStream::pair()?;
        let (_, writer) = asyncio::open_connection_over(ours).await?;
        let (reader, other): (StreamReader, _) = asyncio::open_connection_over(theirs).await?;
        writer.write(b"last words")?;
        socket_of(&writer).shutdown(Shutdown::Write)?;
        assert_eq!(reader.read_to_end().await?, b"last words");
        writer.close();
        other.close();
        Ok(())
    });
}
