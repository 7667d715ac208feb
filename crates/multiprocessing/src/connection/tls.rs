//! Encrypted connections, by rustls: below the messages and the proof that both sides know the key,
//! which stay as they are.

#![cfg_attr(
    not(feature = "pickle"),
    allow(dead_code, reason = "the managers need all of it")
)]

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use hilos_core::time::Deadline;
use hilos_ssl::SslError;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use parking_lot::Mutex;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

use super::reader::Source;
use super::{Address, Connection};
use crate::error::Error;
use crate::sys::fds;
use crate::sys::pidfd::readable;

pub(crate) use hilos_ssl::SslContext as Context;

/// How a side encrypts its connections, if it does.
#[derive(Clone, Default)]
pub(crate) enum Security {
    #[default]
    Off,
    Server(Arc<ServerConfig>),
    Client(Arc<ClientConfig>),
}

impl Security {
    pub(crate) fn server(context: Option<&Context>) -> Result<Self, Error> {
        let Some(context) = context else {
            return Ok(Self::Off);
        };
        let mut config = context.server_config()?;
        // Nothing but messages comes after the handshake: what can be read is something to receive.
        config.send_tls13_tickets = 0;
        Ok(Self::Server(Arc::new(config)))
    }

    pub(crate) fn client(context: Option<&Context>) -> Result<Self, Error> {
        let Some(context) = context else {
            return Ok(Self::Off);
        };
        let mut config = context.client_config()?;
        config.resumption = Resumption::disabled();
        Ok(Self::Client(Arc::new(config)))
    }

    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Has a connection that was accepted be encrypted from now on.
    pub(crate) fn accept(&self, connection: &Connection, deadline: Deadline) -> Result<(), Error> {
        let Self::Server(config) = self else {
            return Ok(());
        };
        let tls = ServerConnection::new(config.clone()).map_err(SslError::from)?;
        begin(connection, tls.into(), deadline)
    }

    /// Has a connection to this address be encrypted from now on.
    pub(crate) fn connect(
        &self,
        connection: &Connection,
        address: &Address,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let Self::Client(config) = self else {
            return Ok(());
        };
        let Address::Inet(host, _) = address else {
            let text = "only connections over a network are encrypted";
            return Err(Error::Value(text.into()));
        };
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| Error::Value(format!("'{host}' is no name of a server")))?;
        let tls = ClientConnection::new(config.clone(), name).map_err(SslError::from)?;
        begin(connection, tls.into(), deadline)
    }
}

/// Whether two mean the same connections.
impl PartialEq for Security {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Off, Self::Off) => true,
            (Self::Server(one), Self::Server(other)) => Arc::ptr_eq(one, other),
            (Self::Client(one), Self::Client(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

fn begin(
    connection: &Connection,
    mut tls: rustls::Connection,
    deadline: Deadline,
) -> Result<(), Error> {
    let fd = connection.fd()?;
    while tls.is_handshaking() {
        flush(&mut tls, &fd)?;
        if !tls.wants_read() {
            continue;
        }
        if !readable(fd.as_fd(), deadline) {
            return Err(Error::Timeout);
        }
        let received = receive(&mut tls, &fd);
        if received.is_err() {
            // The other side is told why.
            let _ = flush(&mut tls, &fd);
        }
        if received? == 0 {
            return Err(Error::Eof);
        }
    }
    flush(&mut tls, &fd)?;
    connection.stream().encrypt(tls);
    Ok(())
}

/// What is between a connection and its socket: nothing, or the encryption.
#[derive(Default)]
pub(crate) struct Stream(OnceLock<Mutex<rustls::Connection>>);

impl Stream {
    fn encrypt(&self, tls: rustls::Connection) {
        let _ = self.0.set(Mutex::new(tls));
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.get().is_some()
    }

    /// Whether something that was received waits to be read.
    pub(crate) fn has_ahead(&self) -> bool {
        let state = self.0.get().map(|tls| tls.lock().process_new_packets());
        matches!(state, Some(Ok(state)) if state.plaintext_bytes_to_read() > 0)
    }

    /// Reads at least one byte.
    pub(crate) fn read(&self, source: Source<'_>, buffer: &mut [u8]) -> Result<usize, Error> {
        let tls = self.0.get().ok_or(Error::Eof)?;
        loop {
            match tls.lock().reader().read(buffer) {
                // Messages have lengths: whether the end was announced says nothing new.
                Ok(0) => return Err(Error::Eof),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(Error::Eof),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return Ok(result?),
            }
            // Without the lock, which the other direction needs.
            if !readable(source.fd.as_fd(), source.deadline) {
                return Err(Error::Timeout);
            }
            receive(&mut tls.lock(), source.fd)?;
        }
    }

    /// Sends some of these parts, and returns how much; the caller alone sends.
    pub(crate) fn send(&self, fd: &OwnedFd, parts: &[IoSlice<'_>]) -> Result<usize, Error> {
        let tls = self.0.get().ok_or(Error::Eof)?;
        let (count, records) = {
            let mut tls = tls.lock();
            let count = tls.writer().write_vectored(parts)?;
            (count, records(&mut tls)?)
        };
        send_all(fd, &records)?;
        Ok(count)
    }
}

/// Takes in what has come, if anything has; returns how many bytes.
fn receive(tls: &mut rustls::Connection, fd: &OwnedFd) -> Result<usize, Error> {
    let count = match tls.read_tls(&mut Socket(fd)) {
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(1),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(Error::Eof),
        Err(error) => return Err(error.into()),
    };
    tls.process_new_packets().map_err(SslError::from)?;
    Ok(count)
}

/// What is to be sent.
fn records(tls: &mut rustls::Connection) -> io::Result<Vec<u8>> {
    let mut records = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut records)?;
    }
    Ok(records)
}

fn flush(tls: &mut rustls::Connection, fd: &OwnedFd) -> Result<(), Error> {
    send_all(fd, &records(tls)?)
}

fn send_all(fd: &OwnedFd, mut bytes: &[u8]) -> Result<(), Error> {
    while !bytes.is_empty() {
        let count = fds::send(fd.as_fd(), bytes, &[], MsgFlags::empty())?;
        bytes = &bytes[count..];
    }
    Ok(())
}

/// A socket that is read without waiting.
struct Socket<'a>(&'a OwnedFd);

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match recv(self.0.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

impl From<SslError> for Error {
    fn from(error: SslError) -> Self {
        io::Error::other(error).into()
    }
}
