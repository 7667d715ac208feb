//! What the transport over a pipe reads, and what it learns by that.

use std::io::{self, Read};
use std::rc::Rc;

use super::{Direction, MAX_SIZE, PipeTransport};
use crate::exception::Result;
use crate::os_error::os_error;
use crate::transports::{StreamTransport, invoke, is_not_ready};

impl PipeTransport {
    pub(super) fn start_reading(self: Rc<Self>) -> Result<()> {
        let wanted = match self.direction {
            Direction::Read => self.is_reading(),
            Direction::Write => self.watches_reader && !self.base.closing.get(),
        };
        if let (true, Some(file)) = (wanted, &*self.file.borrow()) {
            let transport = self.clone();
            let ready = move || transport.clone().read_ready();
            self.base.event_loop.add_reader(file, ready)?;
        }
        Ok(())
    }

    pub(super) fn stop_reading(&self) {
        if let Some(file) = &*self.file.borrow() {
            self.base.event_loop.remove_reader(file);
        }
    }

    fn read_ready(self: Rc<Self>) -> Result<()> {
        match self.direction {
            Direction::Read => self.read(),
            Direction::Write => {
                self.on_reader_gone();
                Ok(())
            }
        }
    }

    /// What the protocol fails with is the callback's error, and ends nothing.
    fn read(self: &Rc<Self>) -> Result<()> {
        let Some(protocol) = self.base.protocol() else {
            return Ok(());
        };
        let mut buffer = self.base.event_loop.take_read_buffer(MAX_SIZE);
        let received = match &*self.file.borrow() {
            Some(file) => (&*file).read(&mut buffer),
            None => return Ok(()),
        };
        let mut result = Ok(());
        match received {
            Ok(0) => self.on_eof(),
            Ok(count) => result = invoke(|| protocol.data_received(&buffer[..count])),
            Err(error) if is_not_ready(&error) => {}
            Err(error) => self.on_read_error(error),
        }
        self.base.event_loop.return_read_buffer(buffer);
        result
    }

    /// Nobody has a terminal open any more if the system says `EIO`: that is its end.
    fn on_read_error(self: &Rc<Self>, error: io::Error) {
        let is_end = error.raw_os_error() == Some(nix::libc::EIO);
        let exception = os_error(error);
        if !is_end {
            let message = "Fatal read error on pipe transport";
            self.base.report(message, exception.clone());
        }
        self.close_with(Some(exception));
    }

    fn on_eof(self: &Rc<Self>) {
        self.base.closing.set(true);
        self.stop_reading();
        let transport = self.clone();
        let tell = move || match transport.base.protocol() {
            Some(protocol) => protocol.eof_received().map(drop),
            None => Ok(()),
        };
        // Only a closed loop refuses, and calls nobody any more.
        let _ = self.base.event_loop.call_soon(tell);
        self.lose_soon(None);
    }

    /// Nobody reads what is written.
    fn on_reader_gone(self: &Rc<Self>) {
        let broken = (!self.buffer.borrow().is_empty())
            .then(|| os_error(io::Error::from_raw_os_error(nix::libc::EPIPE)));
        self.close_with(broken);
    }
}
