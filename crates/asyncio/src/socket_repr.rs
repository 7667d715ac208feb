//! What Python prints of a socket of the program's.

use std::fmt::Write;
use std::os::fd::AsRawFd;

use socket2::Socket;

use crate::address::Address;

/// `<socket.socket fd=6, family=2, type=1, proto=0, laddr=('127.0.0.1', 8888)>`
pub(crate) fn socket_repr(socket: &Socket) -> String {
    repr_as("socket.socket", socket)
}

/// The same under the name of another type.
pub(crate) fn repr_as(type_name: &str, socket: &Socket) -> String {
    let mut text = format!("<{type_name} fd={}", socket.as_raw_fd());
    let numbers = [
        ("family", socket.domain().map(i32::from)),
        ("type", socket.r#type().map(i32::from)),
        (
            "proto",
            socket.protocol().map(|proto| proto.map_or(0, i32::from)),
        ),
    ];
    let addresses = [
        ("laddr", socket.local_addr()),
        ("raddr", socket.peer_addr()),
    ];
    // Writing to a text does not fail.
    for (name, number) in numbers {
        let _ = number.map(|number| write!(text, ", {name}={number}"));
    }
    for (name, address) in addresses {
        let _ = address.map(|address| match Address::new(&address) {
            Address::Unix(path) if path.as_os_str().is_empty() => Ok(()),
            address => write!(text, ", {name}={address}"),
        });
    }
    text + ">"
}
