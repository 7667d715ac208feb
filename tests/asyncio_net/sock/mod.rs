//! `test_sock_lowlevel.py`: the loop's calls for sockets of the program's own.

mod cancellations;
mod connections;
mod datagrams;
mod streams;

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use hilos::asyncio::{Result, get_running_loop};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

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
