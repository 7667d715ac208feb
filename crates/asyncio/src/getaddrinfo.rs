//! `loop.getaddrinfo` and `loop.getnameinfo`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use socket2::Domain;

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::os_error::Numbered;
use crate::sys::getnameinfo::{Failure, getnameinfo, number_of};

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
    /// Whether the addresses are to be listened on.
    pub(crate) passive: bool,
}

impl Lookup {
    /// The address, if it needs no lookup.
    pub(crate) fn literal(&self) -> Option<SocketAddr> {
        let address: IpAddr = self.host.as_deref()?.parse().ok()?;
        let fits = self.family.has(address);
        fits.then(|| SocketAddr::new(address, self.port))
    }

    fn look_up(&self) -> Result<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = match &self.host {
            Some(host) => match (host.as_str(), self.port).to_socket_addrs() {
                Ok(found) => found.collect(),
                Err(error) => return Err(gaierror(&error)),
            },
            None => self.own_addresses(),
        };
        let fits = |found: &SocketAddr| self.family.has(found.ip());
        Ok(found.into_iter().filter(fits).collect())
    }

    /// This machine: all its addresses to listen on, or the one that does not leave it.
    fn own_addresses(&self) -> Vec<SocketAddr> {
        let (v4, v6) = match self.passive {
            true => (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED),
            false => (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST),
        };
        vec![(v4, self.port).into(), (v6, self.port).into()]
    }
}

/// Python's name and words for a name that cannot be looked up.
fn gaierror(error: &io::Error) -> Exception {
    let error = error.to_string();
    let words = error.rsplit(": ").next().unwrap_or(&error).to_owned();
    let number = number_of(&words);
    Exception::new("gaierror", Numbered { number, words })
}

/// What Python's socket says of an address that is not of its family.
pub(crate) fn wrong_family() -> Exception {
    let (number, words) = (-9, "Address family for hostname not supported".to_owned());
    Exception::new("gaierror", Numbered { number, words })
}

impl EventLoop {
    /// The addresses that the system finds.
    pub(crate) async fn look_up(&self, lookup: Lookup) -> Result<Vec<SocketAddr>> {
        self.try_run_in_executor(None, move || lookup.look_up())?
            .await
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
            passive: false,
        };
        self.look_up(lookup).await
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
        let look_up = move || {
            getnameinfo(sockaddr, flags).map_err(|Failure(number, words)| {
                Exception::new("gaierror", Numbered { number, words })
            })
        };
        self.try_run_in_executor(None, look_up)?.await
    }
}

/// The system's number of the family of `address`.
pub(crate) fn domain(address: &SocketAddr) -> Domain {
    Domain::for_address(*address)
}
