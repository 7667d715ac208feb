//! Where a listener listens.

use std::ffi::OsStr;
use std::fmt;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::current::random_bytes;
use crate::error::Error;

/// The address of a [`Listener`](super::Listener), as Python writes it.
///
/// ```
/// use hilos_multiprocessing::connection::{Address, Family};
///
/// let address = Address::from(("localhost", 6000));
/// assert_eq!(address.to_string(), "('localhost', 6000)");
/// assert_eq!(Address::from("/tmp/sock").family(), Family::Unix);
/// assert_eq!(Address::from("\0name").to_string(), r"b'\x00name'");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Address {
    /// A host, by name or number, and a port; port 0 has the system choose one.
    Inet(String, u16),
    /// A socket in the file system.
    Unix(PathBuf),
    /// A socket with a name that is not in the file system, without its leading zero byte.
    Abstract(Vec<u8>),
}

/// The kind of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// IPv4, or IPv6 where the host is.
    Inet,
    /// IPv6.
    Inet6,
    /// Sockets of this machine.
    Unix,
}

impl Address {
    /// Its kind; Python's `address_type`.
    pub fn family(&self) -> Family {
        match self {
            Self::Inet(host, _) if host.contains(':') => Family::Inet6,
            Self::Inet(..) => Family::Inet,
            Self::Unix(_) | Self::Abstract(_) => Family::Unix,
        }
    }

    /// Refuses what is an address on Windows alone.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Unix(path) if path.as_os_str().as_bytes().starts_with(br"\\") => {
                "AF_PIPE".parse::<Family>().map(drop)
            }
            _ => Ok(()),
        }
    }

    /// A new address of a kind, which nobody else uses; Python's `arbitrary_address`.
    ///
    /// That of a Unix socket is in a new directory that only this user can read, and that is the caller's to
    /// remove; a listener at `None` removes its own.
    ///
    /// # Errors
    /// [`Error::Os`] if the directory cannot be made.
    pub fn arbitrary(family: Family) -> Result<Self, Error> {
        match family {
            Family::Inet => Ok(Self::Inet("localhost".into(), 0)),
            Family::Inet6 => Ok(Self::Inet("::1".into(), 0)),
            Family::Unix => {
                let directory = std::env::temp_dir().join(format!("pymp-{}", random_name()));
                std::fs::DirBuilder::new().mode(0o700).create(&directory)?;
                Ok(Self::Unix(
                    directory.join(format!("listener-{}", random_name())),
                ))
            }
        }
    }
}

fn random_name() -> String {
    let digits = |byte: &u8| format!("{byte:02x}");
    random_bytes::<4>().iter().map(digits).collect()
}

impl std::str::FromStr for Family {
    type Err = Error;

    /// By Python's name, such as `AF_INET`.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "AF_INET" => Ok(Self::Inet),
            "AF_INET6" => Ok(Self::Inet6),
            "AF_UNIX" => Ok(Self::Unix),
            _ => Err(Error::Value(format!("Family {name} is not recognized."))),
        }
    }
}

impl<H: Into<String>> From<(H, u16)> for Address {
    fn from((host, port): (H, u16)) -> Self {
        Self::Inet(host.into(), port)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        match address {
            // Only within its link does such an address say who it is.
            SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                Self::Inet(format!("{}%{}", v6.ip(), v6.scope_id()), v6.port())
            }
            _ => Self::Inet(address.ip().to_string(), address.port()),
        }
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<&[u8]> for Address {
    fn from(bytes: &[u8]) -> Self {
        match bytes.strip_prefix(b"\0") {
            Some(name) => Self::Abstract(name.to_vec()),
            None => Self::Unix(OsStr::from_bytes(bytes).into()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(host, port) => write!(f, "('{host}', {port})"),
            Self::Unix(path) => write!(f, "'{}'", path.display()),
            Self::Abstract(name) => write!(f, "b'\\x00{}'", name.escape_ascii()),
        }
    }
}
