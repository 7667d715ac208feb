//! `loop.getaddrinfo` and `loop.getnameinfo`.

use std::net::{IpAddr, SocketAddr};

use dns_lookup::{AddrInfoHints, LookupError};
use nix::libc;
use socket2::{Domain, Protocol, Type};

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::os_error::os_error;

/// Which addresses of the internet are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressFamily {
    /// Any: `AF_UNSPEC`.
    #[default]
    Unspec,
    /// Those of four bytes: `AF_INET`.
    Inet,
    /// Those of sixteen bytes: `AF_INET6`.
    Inet6,
}

impl AddressFamily {
    fn number(self) -> i32 {
        match self {
            Self::Unspec => libc::AF_UNSPEC,
            Self::Inet => libc::AF_INET,
            Self::Inet6 => libc::AF_INET6,
        }
    }

    fn has(self, address: IpAddr) -> bool {
        match self {
            Self::Unspec => true,
            Self::Inet => address.is_ipv4(),
            Self::Inet6 => address.is_ipv6(),
        }
    }
}

/// What is looked up: a name, or `None` for this machine, and how.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    pub(crate) family: AddressFamily,
    pub(crate) datagrams: bool,
    /// Whether the addresses are to be listened on.
    pub(crate) passive: bool,
}

impl Lookup {
    /// The address, if it needs no lookup.
    fn literal(&self) -> Option<SocketAddr> {
        let address: IpAddr = self.host.as_deref()?.parse().ok()?;
        let fits = self.family.has(address);
        fits.then(|| SocketAddr::new(address, self.port))
    }

    fn hints(&self) -> AddrInfoHints {
        let (socktype, protocol) = match self.datagrams {
            true => (Type::DGRAM, Protocol::UDP),
            false => (Type::STREAM, Protocol::TCP),
        };
        AddrInfoHints {
            flags: if self.passive { libc::AI_PASSIVE } else { 0 },
            address: self.family.number(),
            socktype: socktype.into(),
            protocol: protocol.into(),
        }
    }

    fn look_up(&self) -> Result<Vec<SocketAddr>> {
        let port = self.port.to_string();
        let found = dns_lookup::getaddrinfo(self.host.as_deref(), Some(&port), Some(self.hints()));
        let found = found.map_err(gaierror)?;
        let addresses: std::io::Result<Vec<_>> = found
            .map(|found| found.map(|found| found.sockaddr))
            .collect();
        addresses.map_err(os_error)
    }
}

fn gaierror(error: LookupError) -> Exception {
    let number = error.error_num();
    let error = std::io::Error::from(error).to_string();
    let reason = error.rsplit(": ").next().unwrap_or(&error);
    Exception::new("gaierror", format!("[Errno {number}] {reason}"))
}

impl EventLoop {
    /// The addresses that `lookup` finds, without a thread where there is nothing to look up.
    pub(crate) async fn resolve(&self, lookup: Lookup) -> Result<Vec<SocketAddr>> {
        match lookup.literal() {
            Some(address) => Ok(vec![address]),
            None => {
                self.try_run_in_executor(None, move || lookup.look_up())?
                    .await
            }
        }
    }

    /// Looks up the addresses of a host in a thread of the default executor.
    ///
    /// `None` for `host` stands for this machine.
    ///
    /// # Errors
    /// `gaierror` if the name is not known or cannot be looked up now; the `CancelledError` of a
    /// task that is cancelled meanwhile.
    ///
    /// # Differences from Python
    /// - Only addresses of the internet are returned, without the constants around them.
    ///
    /// Mirrors [`loop.getaddrinfo`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.getaddrinfo).
    pub async fn getaddrinfo<'h, H>(
        &self,
        host: H,
        port: u16,
        family: AddressFamily,
    ) -> Result<Vec<SocketAddr>>
    where
        H: Into<Option<&'h str>>,
    {
        let lookup = Lookup {
            host: host.into().map(str::to_owned),
            port,
            family,
            datagrams: false,
            passive: false,
        };
        self.try_run_in_executor(None, move || lookup.look_up())?
            .await
    }

    /// Looks up the names of an address and its port, in a thread of the default executor.
    ///
    /// `flags` are the system's, as `libc::NI_NUMERICHOST`.
    ///
    /// # Errors
    /// As [`getaddrinfo`](Self::getaddrinfo).
    ///
    /// Mirrors [`loop.getnameinfo`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.getnameinfo).
    pub async fn getnameinfo(&self, sockaddr: SocketAddr, flags: i32) -> Result<(String, String)> {
        let look_up = move || dns_lookup::getnameinfo(&sockaddr, flags).map_err(gaierror);
        self.try_run_in_executor(None, look_up)?.await
    }
}

/// The system's number of the family of `address`.
pub(crate) fn domain(address: &SocketAddr) -> Domain {
    Domain::for_address(*address)
}
