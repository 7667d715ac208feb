//! What the transport of datagrams sends, and what it cannot.

use socket2::SockAddr;

use super::DatagramTransport;
use crate::address::Address;
use crate::exception::{Exception, Result};
use crate::exceptions::ValueError;
use crate::getaddrinfo::wrong_family;
use crate::os_error::os_error;
use crate::selector::Interest;
use crate::transports::is_not_ready;

/// What a datagram that waits is counted as, beyond its bytes.
const HEADER: usize = 8;

/// After so many datagrams to a lost socket, each is told to the user.
const LOST_WRITES: u32 = 5;

impl DatagramTransport {
    /// Sends `data` to `addr`, or where the socket is connected to for `None`.
    ///
    /// What the system refuses, the protocol's `error_received` is told. An address of another
    /// kind than the socket's, or none where one is needed, is the program's error: it goes to the
    /// loop's exception handler, and closes the socket.
    ///
    /// # Errors
    /// [`ValueError`] if the socket is connected, and to another address.
    pub fn sendto<D, A>(&self, data: D, addr: A) -> Result<()>
    where
        D: AsRef<[u8]>,
        A: Into<Option<Address>>,
    {
        let (data, addr) = (data.as_ref(), self.checked(addr.into())?);
        if self.0.remote.is_some() && self.swallows() {
            return Ok(());
        }
        if self.0.waiting.borrow().is_empty() {
            match self.send(data, addr.as_ref()) {
                Ok(true) => return Ok(()),
                Ok(false) => self.start_writing()?,
                Err(exception) => return self.on_send_error(exception),
            }
        }
        self.0.size.set(self.0.size.get() + data.len() + HEADER);
        self.0.waiting.borrow_mut().push_back((data.into(), addr));
        self.0.base.maybe_pause(self.0.size.get());
        Ok(())
    }

    fn checked(&self, addr: Option<Address>) -> Result<Option<Address>> {
        match (&self.0.remote, addr) {
            (Some(remote), Some(addr)) if addr != *remote => {
                let message = format!("Invalid address: must be None or {remote}");
                Err(ValueError::new(message).into())
            }
            (Some(remote), _) => Ok(Some(remote.clone())),
            (None, addr) => Ok(addr),
        }
    }

    fn swallows(&self) -> bool {
        let base = &self.0.base;
        if !base.is_lost() {
            return false;
        }
        if base.conn_lost.get() >= LOST_WRITES {
            eprintln!("socket.send() raised exception.");
        }
        base.lose();
        true
    }

    /// Whether the system takes the datagram now.
    fn send(&self, data: &[u8], to: Option<&Address>) -> Result<bool> {
        let socket = self.0.socket.get().map_err(os_error)?;
        let sent = match self.0.peername {
            Some(_) => socket.send(data),
            None => socket.send_to(data, &destination(self.0.sockname.as_ref(), to)?),
        };
        match sent {
            Ok(_) => Ok(true),
            Err(error) if is_not_ready(&error) => Ok(false),
            Err(error) => Err(os_error(error)),
        }
    }

    /// What the system refuses is told; any other error ends the transport.
    fn on_send_error(&self, exception: Exception) -> Result<()> {
        if exception.type_name() == "TypeError" {
            self.fatal_error(exception, "Fatal write error on datagram transport");
            return Ok(());
        }
        match self.0.base.protocol() {
            Some(protocol) => protocol.error_received(&exception),
            None => Ok(()),
        }
    }

    fn start_writing(&self) -> Result<()> {
        let transport = self.clone();
        let socket = self.0.socket.get().map_err(os_error)?;
        let ready = move || transport.write_ready();
        let event_loop = &self.0.base.event_loop;
        event_loop.watch(&*socket, Interest::Write, ready).map(drop)
    }

    fn write_ready(&self) -> Result<()> {
        loop {
            let next = self.0.waiting.borrow_mut().pop_front();
            let Some((data, to)) = next else { break };
            let sent = self.send(&data, to.as_ref());
            if let Ok(false) = sent {
                self.0.waiting.borrow_mut().push_front((data, to));
                break;
            }
            self.0.size.set(self.0.size.get() - data.len() - HEADER);
            if let Err(exception) = sent {
                return self.on_send_error(exception);
            }
        }
        self.0.base.maybe_resume(self.0.size.get());
        if self.0.waiting.borrow().is_empty() {
            self.stop_writing();
            if self.is_closing() {
                return self.call_connection_lost(None);
            }
        }
        Ok(())
    }
}

/// The address of `to` for the socket at `own`, if Python's socket takes it.
fn destination(own: Option<&Address>, to: Option<&Address>) -> Result<SockAddr> {
    use Address::{Abstract, Inet, Unix};
    let unfit = |message: String| Err(Exception::new("TypeError", message));
    let kind = match to {
        None => "NoneType",
        Some(Inet(_)) => "tuple",
        Some(Unix(_)) => "str",
        Some(Abstract(_)) => "bytes",
    };
    match (own, to) {
        (Some(Inet(own)), Some(Inet(to))) if own.is_ipv4() && to.is_ipv6() => {
            unfit("AF_INET address must be a pair (host, port)".to_owned())
        }
        (Some(Inet(own)), Some(Inet(to))) if own.is_ipv6() && to.is_ipv4() => Err(wrong_family()),
        (Some(Inet(_)), Some(to @ Inet(_))) => to.to_sockaddr(),
        (Some(Inet(own)), _) => {
            let family = if own.is_ipv4() { "AF_INET" } else { "AF_INET6" };
            unfit(format!(
                "sendto(): {family} address must be tuple, not {kind}"
            ))
        }
        (_, None | Some(Inet(_))) => {
            unfit(format!("a bytes-like object is required, not '{kind}'"))
        }
        (_, Some(to)) => to.to_sockaddr(),
    }
}
