//! The addresses of a host, tried in turn or in a race until one can be connected to.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use hilos_core::time::Timeout;
use socket2::{Socket, Type};

use crate::address::Address;
use crate::base_events::EventLoop;
use crate::create_connection::CreateConnection;
use crate::exception::{Exception, Result};
use crate::exceptions::{ExceptionGroup, TimeoutError};
use crate::getaddrinfo::{AddressFamily, Lookup, domain};
use crate::listening::bind_error;
use crate::os_error::os_error;
use crate::staggered::staggered_race;
use crate::streams::OpenConnection;

/// How a host is connected to.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) family: AddressFamily,
    pub(crate) local_addr: Option<(Option<String>, u16)>,
    /// How long an attempt goes on alone; without end unless given.
    pub(crate) happy_eyeballs_delay: Timeout,
    pub(crate) interleave: Option<usize>,
    pub(crate) all_errors: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            family: AddressFamily::Unspec,
            local_addr: None,
            happy_eyeballs_delay: Timeout::NEVER,
            interleave: None,
            all_errors: false,
        }
    }
}

impl Options {
    fn races(&self) -> bool {
        self.happy_eyeballs_delay.seconds().is_some()
    }

    fn interleave(&self) -> usize {
        self.interleave.unwrap_or(usize::from(self.races()))
    }
}

/// A socket that is connected to `port` of `host`.
pub(crate) async fn connect_to(
    event_loop: &EventLoop,
    host: Option<String>,
    port: u16,
    options: Options,
) -> Result<Socket> {
    let lookup = |host, port| Lookup {
        host,
        port,
        family: options.family,
        passive: false,
    };
    let addresses = event_loop.resolve_some(lookup(host, port)).await?;
    let local = match options.local_addr.clone() {
        Some((host, port)) => Some(event_loop.resolve_some(lookup(host, port)).await?),
        None => None,
    };
    let attempts = Rc::new(Attempts {
        event_loop: event_loop.clone(),
        local,
        failures: RefCell::default(),
    });
    let addresses = interleaved(addresses, options.interleave());
    let connected = match options.races() {
        true => {
            attempts
                .race(addresses, options.happy_eyeballs_delay)
                .await?
        }
        false => attempts.one_by_one(addresses).await?,
    };
    connected.ok_or_else(|| combined(attempts.failures(), options.all_errors))
}

/// The attempts to connect to one host.
struct Attempts {
    event_loop: EventLoop,
    /// The addresses to connect from, any for `None`.
    local: Option<Vec<SocketAddr>>,
    /// What went wrong with each address that was tried.
    failures: RefCell<Vec<Vec<Exception>>>,
}

impl Attempts {
    async fn one_by_one(&self, addresses: Vec<SocketAddr>) -> Result<Option<Socket>> {
        for address in addresses {
            match self.connect(address).await {
                Ok(socket) => return Ok(Some(socket)),
                Err(exception) if exception.is_base() => return Err(exception),
                // It is among the failures.
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Happy eyeballs: the next attempt does not wait for one that takes long.
    async fn race(
        self: &Rc<Self>,
        addresses: Vec<SocketAddr>,
        delay: Timeout,
    ) -> Result<Option<Socket>> {
        let attempts = addresses.into_iter().map(|address| {
            let this = self.clone();
            move || async move { this.connect(address).await }
        });
        let attempts: Vec<_> = attempts.collect();
        Ok(staggered_race(attempts, delay).await?.winner)
    }

    /// A socket that is connected to `address`.
    async fn connect(&self, address: SocketAddr) -> Result<Socket> {
        let number = self.failures.borrow().len();
        self.failures.borrow_mut().push(Vec::new());
        let socket = self.try_connect(address, number).await;
        socket.inspect_err(|exception| {
            if !exception.is_base() {
                self.failures.borrow_mut()[number].push(exception.clone());
            }
        })
    }

    async fn try_connect(&self, address: SocketAddr, number: usize) -> Result<Socket> {
        let kind = Type::STREAM.nonblocking().cloexec();
        let socket = Socket::new(domain(&address), kind, None);
        let socket = Rc::new(socket.map_err(os_error)?);
        if let Some(local) = &self.local {
            self.bind(&socket, local, &address, number)?;
        }
        let (to, shown) = (address.into(), Address::Inet(address));
        self.event_loop.connect(&socket, &to, shown).await?;
        Ok(only(socket))
    }

    /// Binds to the first of `local` that is of the right family and free.
    fn bind(
        &self,
        socket: &Socket,
        local: &[SocketAddr],
        remote: &SocketAddr,
        number: usize,
    ) -> Result<()> {
        let fits = |local: &&SocketAddr| local.is_ipv4() == remote.is_ipv4();
        for address in local.iter().filter(fits) {
            match socket.bind(&(*address).into()) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let failure = bind_error(&error, *address);
                    self.failures.borrow_mut()[number].push(failure);
                }
            }
        }
        let last = self.failures.borrow_mut()[number].pop();
        Err(last.unwrap_or_else(|| no_local_address(remote)))
    }

    fn failures(&self) -> Vec<Exception> {
        self.failures.take().into_iter().flatten().collect()
    }
}

/// Nobody else has the socket when it is connected.
pub(crate) fn only(socket: Rc<Socket>) -> Socket {
    Rc::into_inner(socket).expect("the loop does not keep what it watched")
}

fn no_local_address(remote: &SocketAddr) -> Exception {
    let family = match remote.is_ipv4() {
        true => "<AddressFamily.AF_INET: 2>",
        false => "<AddressFamily.AF_INET6: 10>",
    };
    let message = format!("no matching local address with family={family} found");
    Exception::new("OSError", message)
}

/// `addresses` with the families in turn, after `first` of the first one; as they are for 0.
fn interleaved(addresses: Vec<SocketAddr>, first: usize) -> Vec<SocketAddr> {
    let leader = addresses.first().map(SocketAddr::is_ipv4);
    let (Some(leader), Some(alone)) = (leader, first.checked_sub(1)) else {
        return addresses;
    };
    let (ours, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv4() == leader);
    let mut ours = ours.into_iter();
    let mut result: Vec<_> = ours.by_ref().take(alone).collect();
    let mut others = others.into_iter();
    loop {
        let pair = (ours.next(), others.next());
        if pair == (None, None) {
            return result;
        }
        result.extend(pair.0);
        result.extend(pair.1);
    }
}

/// One exception for all.
fn combined(mut exceptions: Vec<Exception>, all: bool) -> Exception {
    if all {
        return ExceptionGroup::new("create_connection failed", exceptions).into();
    }
    let texts: Vec<_> = exceptions.iter().map(ToString::to_string).collect();
    let Some(first) = texts.first() else {
        return TimeoutError::new("create_connection failed").into();
    };
    if texts.iter().all(|text| text == first) {
        return exceptions.swap_remove(0);
    }
    let message = format!("Multiple exceptions: {}", texts.join(", "));
    Exception::new("OSError", message)
}

/// The keyword arguments of connecting to a host, for a builder with a field `options`.
macro_rules! connecting_options {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Tries only addresses of this family.
            pub fn with_family(mut self, family: AddressFamily) -> Self {
                self.options.family = family;
                self
            }

            /// Connects from this address; port 0 is any.
            pub fn with_local_addr(mut self, host: &str, port: u16) -> Self {
                let host = (!host.is_empty()).then(|| host.to_owned());
                self.options.local_addr = Some((host, port));
                self
            }

            /// Tries the next address when the last has taken so many seconds, and takes the first that
            /// answers: "happy eyeballs". Unless given, each is tried until it fails.
            ///
            /// A quarter of a second is usual.
            pub fn with_happy_eyeballs_delay<D: Into<Timeout>>(mut self, delay: D) -> Self {
                self.options.happy_eyeballs_delay = delay.into();
                self
            }

            /// Tries addresses of the two families in turn, after so many of the first one; in the order
            /// in which they were found for 0.
            ///
            /// Unless given, it is 1 with [a delay](Self::with_happy_eyeballs_delay) and 0 without.
            pub fn with_interleave(mut self, interleave: usize) -> Self {
                self.options.interleave = Some(interleave);
                self
            }

            /// Whether the error is a group of what each address failed with.
            pub fn with_all_errors(mut self, all_errors: bool) -> Self {
                self.options.all_errors = all_errors;
                self
            }
        }
    };
}

connecting_options!(CreateConnection<F>);
connecting_options!(OpenConnection);
