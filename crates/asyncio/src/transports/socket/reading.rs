//! What the transport over a socket reads, and whom it tells.

use std::io::{self, Read};
use std::rc::Rc;

use super::{MAX_SIZE, SocketTransport, is_not_ready};
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::os_error::os_error;
use crate::protocols::{BufferedProtocol, Protocol};
use crate::selector::Interest;
use crate::transports::{StreamTransport, invoke};

impl SocketTransport {
    pub(super) fn start_reading(self: Rc<Self>) -> Result<()> {
        if !self.is_reading() {
            return Ok(());
        }
        let transport = self.clone();
        let socket = self.socket.get().map_err(os_error)?;
        self.base
            .event_loop
            .watch(&*socket, Interest::Read, move || {
                transport.clone().read_ready()
            })
            .map(drop)
    }

    pub(super) fn stop_reading(&self) {
        if let Ok(socket) = self.socket.get() {
            self.base.event_loop.forget(&*socket, Interest::Read);
        }
    }

    fn read_ready(self: Rc<Self>) -> Result<()> {
        let Some(protocol) = self.base.protocol().filter(|_| !self.base.is_lost()) else {
            return Ok(());
        };
        match protocol.as_buffered() {
            Some(buffered) => self.read_into(buffered, &*protocol),
            None => self.read(&*protocol),
        }
        Ok(())
    }

    fn read(self: &Rc<Self>, protocol: &dyn Protocol) {
        let mut buffer = self.base.event_loop.take_read_buffer(MAX_SIZE);
        match self.receive(&mut buffer) {
            Ok(0) => self.on_eof(protocol),
            Ok(count) => match invoke(|| protocol.data_received(&buffer[..count])) {
                Ok(()) if self.only_feeds.get() => self.base.event_loop.count_fed(),
                Ok(()) => {}
                Err(exception) => {
                    let message = "Fatal error: protocol.data_received() call failed.";
                    self.fatal_error(exception, message);
                }
            },
            Err(error) => self.on_read_error(error),
        }
        self.base.event_loop.return_read_buffer(buffer);
    }

    fn read_into(self: &Rc<Self>, buffered: &dyn BufferedProtocol, protocol: &dyn Protocol) {
        let mut received = None;
        let mut fill = |buffer: &mut [u8]| {
            received = Some(match buffer.is_empty() {
                true => Err(None),
                false => self.receive(buffer).map_err(Some),
            });
        };
        let lent = invoke(|| buffered.get_buffer(None, &mut fill));
        let message = "Fatal error: protocol.get_buffer() call failed.";
        match (lent, received) {
            (Err(exception), _) => self.fatal_error(exception, message),
            (Ok(()), None | Some(Err(None))) => {
                let empty = RuntimeError::new("get_buffer() returned an empty buffer");
                self.fatal_error(empty.into(), message);
            }
            (Ok(()), Some(Err(Some(error)))) => self.on_read_error(error),
            (Ok(()), Some(Ok(0))) => self.on_eof(protocol),
            (Ok(()), Some(Ok(count))) => {
                if let Err(exception) = invoke(|| buffered.buffer_updated(count)) {
                    let message = "Fatal error: protocol.buffer_updated() call failed.";
                    self.fatal_error(exception, message);
                }
            }
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.socket.get()?).read(buffer)
    }

    fn on_read_error(self: &Rc<Self>, error: io::Error) {
        if !is_not_ready(&error) {
            self.fatal_error(os_error(error), "Fatal read error on socket transport");
        }
    }

    fn on_eof(self: &Rc<Self>, protocol: &dyn Protocol) {
        match invoke(|| protocol.eof_received()) {
            // The socket would say so again and again.
            Ok(true) => self.stop_reading(),
            Ok(false) => self.clone().close(),
            Err(exception) => {
                let message = "Fatal error: protocol.eof_received() call failed.";
                self.fatal_error(exception, message);
            }
        }
    }
}
