//! What a transport knows of what is below it.

use std::fmt;

use crate::address::Address;
use crate::repr::debug_like_display;
use crate::trsock::TransportSocket;

/// What [`Transport::get_extra_info`](crate::Transport::get_extra_info) returns.
///
/// `Display` is what Python prints of the value.
#[derive(Clone)]
#[non_exhaustive]
pub enum ExtraInfo {
    /// Of `peername` and `sockname`.
    Address(Address),
    /// Of `socket`.
    Socket(TransportSocket),
    /// A text, as the `cipher` of an encrypted connection.
    Text(String),
    /// The number of a descriptor or process, as `pipe`.
    Number(i64),
}

impl ExtraInfo {
    /// The address, if it is one.
    pub fn as_address(&self) -> Option<&Address> {
        match self {
            Self::Address(address) => Some(address),
            _ => None,
        }
    }

    /// The socket, if it is one.
    pub fn as_socket(&self) -> Option<&TransportSocket> {
        match self {
            Self::Socket(socket) => Some(socket),
            _ => None,
        }
    }
}

impl fmt::Display for ExtraInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Socket(socket) => socket.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
        }
    }
}

debug_like_display!(ExtraInfo);
