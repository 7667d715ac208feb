//! Where a socket is.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use socket2::SockAddr;

use crate::exception::{Exception, Result, quoted};
use crate::repr::debug_like_display;

/// The address of a socket. `Display` is what Python prints: `('127.0.0.1', 8888)`.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An address and a port of the internet.
    Inet(SocketAddr),
    /// The path of a Unix socket; empty if it has none.
    Unix(PathBuf),
    /// The name of a Unix socket that is in no file system, without the zero byte before it.
    Abstract(Vec<u8>),
}

impl Address {
    pub(crate) fn new(address: &SockAddr) -> Self {
        if let Some(inet) = address.as_socket() {
            return Self::Inet(inet);
        }
        match address.as_abstract_namespace() {
            Some(name) => Self::Abstract(name.to_owned()),
            None => Self::Unix(address.as_pathname().unwrap_or(Path::new("")).to_owned()),
        }
    }

    pub(crate) fn to_sockaddr(&self) -> Result<SockAddr> {
        match self {
            Self::Inet(address) => Ok((*address).into()),
            Self::Unix(path) => unix_address(path),
            Self::Abstract(name) => {
                let name = [&[0], name.as_slice()].concat();
                unix_address(Path::new(OsStr::from_bytes(&name)))
            }
        }
    }

    /// The address and port, of a socket of the internet.
    pub fn as_inet(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(address) => Some(*address),
            _ => None,
        }
    }

    /// The port, of a socket of the internet.
    pub fn port(&self) -> Option<u16> {
        self.as_inet().map(|address| address.port())
    }
}

/// The address of the Unix socket at `path`.
pub(crate) fn unix_address(path: &Path) -> Result<SockAddr> {
    let too_long = |_| Exception::from(io::Error::other("AF_UNIX path too long"));
    SockAddr::unix(path).map_err(too_long)
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Inet(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(SocketAddr::V4(address)) => {
                write!(f, "('{}', {})", address.ip(), address.port())
            }
            Self::Inet(SocketAddr::V6(address)) => write!(
                f,
                "('{}', {}, {}, {})",
                address.ip(),
                address.port(),
                address.flowinfo(),
                address.scope_id()
            ),
            Self::Unix(path) => f.write_str(&quoted(&path.to_string_lossy())),
            Self::Abstract(name) => write!(f, "b'\\x00{}'", name.escape_ascii()),
        }
    }
}

debug_like_display!(Address);
