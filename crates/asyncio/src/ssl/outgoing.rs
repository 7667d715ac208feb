//! What an encrypted connection sends, and when its program has to pause.

use std::io::Write;
use std::rc::Rc;

use super::protocol::Tls;
use crate::exception::Result;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::transports::invoke;

impl Tls {
    /// Encrypts `data` and sends it.
    pub(super) fn send(self: &Rc<Self>, data: &[u8]) -> Result<()> {
        let written = self.connection.borrow_mut().writer().write_all(data);
        written.map_err(os_error)?;
        self.flush()
    }

    /// Sends what is encrypted, or keeps it while the transport below has too much.
    pub(super) fn flush(self: &Rc<Self>) -> Result<()> {
        self.collect()?;
        if !self.writing_paused.get() {
            self.send_collected()?;
        }
        self.control_writing();
        Ok(())
    }

    fn collect(&self) -> Result<()> {
        let mut connection = self.connection.borrow_mut();
        let mut outgoing = self.outgoing.borrow_mut();
        while connection.wants_write() {
            connection.write_tls(&mut *outgoing).map_err(os_error)?;
        }
        Ok(())
    }

    /// Gives the transport below all that waits.
    pub(super) fn send_collected(&self) -> Result<()> {
        let bytes = self.outgoing.take();
        match self.below() {
            Some(below) if !bytes.is_empty() && !below.is_closing() => below.write(bytes),
            _ => Ok(()),
        }
    }

    /// Asks the program to pause or to go on.
    pub(super) fn control_writing(&self) {
        let size = self.outgoing.borrow().len();
        if self.flow.pauses(size) {
            self.tell("protocol.pause_writing() failed", |above| {
                above.pause_writing()
            });
        } else if self.flow.resumes(size) {
            self.tell("protocol.resume_writing() failed", |above| {
                above.resume_writing()
            });
        }
    }

    fn tell(&self, message: &str, call: impl FnOnce(&dyn Protocol) -> Result<()>) {
        if let Some(above) = self.above()
            && let Err(exception) = invoke(|| call(&*above))
        {
            self.report(message, &exception);
        }
    }
}
