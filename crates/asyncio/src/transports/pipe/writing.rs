//! What the transport over a pipe writes.

use std::io::{self, ErrorKind, Write};
use std::rc::Rc;

use super::PipeTransport;
use crate::exception::Result;
use crate::os_error::os_error;
use crate::transports::{StreamTransport, is_not_ready};

impl PipeTransport {
    pub(super) fn start_writing(self: &Rc<Self>) -> Result<()> {
        if let Some(file) = &*self.file.borrow() {
            let transport = self.clone();
            let ready = move || transport.clone().write_ready();
            self.base.event_loop.add_writer(file, ready)?;
        }
        Ok(())
    }

    pub(super) fn stop_writing(&self) {
        if let Some(file) = &*self.file.borrow() {
            self.base.event_loop.remove_writer(file);
        }
    }

    pub(super) fn write_now(&self, data: &[u8]) -> io::Result<usize> {
        match &*self.file.borrow() {
            Some(file) => (&*file).write(data),
            None => Err(io::Error::from(ErrorKind::BrokenPipe)),
        }
    }

    pub(super) fn write_ready(self: Rc<Self>) -> Result<()> {
        let flushed = {
            let mut buffer = self.buffer.borrow_mut();
            let file = self.file.borrow();
            let written = buffer.with_slices(|slices| match &*file {
                Some(file) => (&*file).write_vectored(slices),
                None => Err(io::Error::from(ErrorKind::BrokenPipe)),
            });
            written.map(|count| buffer.advance(count))
        };
        match flushed {
            Ok(()) => self.written(),
            Err(error) if is_not_ready(&error) => Ok(()),
            Err(error) => {
                self.fatal_error(os_error(error), "Fatal write error on pipe transport");
                Ok(())
            }
        }
    }

    fn written(&self) -> Result<()> {
        self.base.maybe_resume(self.get_write_buffer_size());
        if !self.buffer.borrow().is_empty() {
            return Ok(());
        }
        self.stop_writing();
        match self.base.closing.get() {
            true => {
                self.stop_reading();
                self.call_connection_lost(None)
            }
            false => Ok(()),
        }
    }

    /// Closes the writing end when what waits is written.
    pub(super) fn end(self: &Rc<Self>) {
        if self.base.closing.replace(true) {
            return;
        }
        if self.buffer.borrow().is_empty() {
            self.stop_reading();
            self.lose_soon(None);
        }
    }
}
