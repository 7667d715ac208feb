//! What the transport over a socket writes, at once or when the socket takes it.

use std::io;
use std::net::Shutdown;
use std::rc::Rc;

use super::{LOST_WRITES, NO_SIGNAL, SocketTransport, is_not_ready};
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::os_error::os_error;
use crate::selector::Interest;
use crate::transports::StreamTransport;

impl SocketTransport {
    pub(super) fn start_writing(self: &Rc<Self>) -> Result<()> {
        let transport = self.clone();
        let socket = self.socket.get().map_err(os_error)?;
        self.base
            .event_loop
            .watch(&*socket, Interest::Write, move || {
                transport.clone().write_ready()
            })
            .map(drop)
    }

    pub(super) fn stop_writing(&self) {
        if let Ok(socket) = self.socket.get() {
            self.base.event_loop.forget(&*socket, Interest::Write);
        }
    }

    /// Whether the transport lets `call` write.
    pub(super) fn check_writable(&self, call: &str) -> Result<()> {
        let message = if self.eof.get() {
            format!("Cannot call {call}() after write_eof()")
        } else if self.is_sending() {
            format!("unable to {call}; sendfile is in progress")
        } else {
            return Ok(());
        };
        Err(RuntimeError::new(message).into())
    }

    /// Whether the connection is lost, and what is written to it with it.
    pub(super) fn swallows(&self) -> bool {
        if !self.base.is_lost() {
            return false;
        }
        if self.base.conn_lost.get() >= LOST_WRITES {
            eprintln!("socket.send() raised exception.");
        }
        self.base.lose();
        true
    }

    /// Writes what it can of `data`, and returns the rest; `None` if the connection is lost by it.
    pub(super) fn send<'d>(self: &Rc<Self>, data: &'d [u8]) -> Option<&'d [u8]> {
        match self
            .socket
            .get()
            .and_then(|socket| socket.send_with_flags(data, NO_SIGNAL))
        {
            Ok(count) => Some(&data[count..]),
            Err(error) if is_not_ready(&error) => Some(data),
            Err(error) => {
                self.fatal_error(os_error(error), "Fatal write error on socket transport");
                None
            }
        }
    }

    pub(super) fn write_ready(self: Rc<Self>) -> Result<()> {
        if self.base.is_lost() {
            return Ok(());
        }
        match self.flush() {
            Ok(()) => self.written(),
            Err(error) => {
                self.stop_writing();
                self.buffer.borrow_mut().clear();
                self.fatal_error(os_error(error), "Fatal write error on socket transport");
                Ok(())
            }
        }
    }

    /// Writes what the socket takes now.
    fn flush(&self) -> io::Result<()> {
        let mut buffer = self.buffer.borrow_mut();
        let socket = self.socket.get()?;
        let written =
            buffer.with_slices(|slices| socket.send_vectored_with_flags(slices, NO_SIGNAL));
        match written {
            Ok(count) => buffer.advance(count),
            Err(error) if is_not_ready(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn written(self: Rc<Self>) -> Result<()> {
        self.base.maybe_resume(self.get_write_buffer_size());
        if !self.buffer.borrow().is_empty() {
            return Ok(());
        }
        self.stop_writing();
        self.sending_may_begin();
        if self.base.closing.get() {
            return self.call_connection_lost(None);
        }
        if self.eof.get() {
            self.shut_down();
        }
        Ok(())
    }

    /// The other side may be gone already.
    pub(super) fn shut_down(&self) {
        if let Ok(socket) = self.socket.get() {
            let _ = socket.shutdown(Shutdown::Write);
        }
    }
}
