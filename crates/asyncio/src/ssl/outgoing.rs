//! What an encrypted connection sends, and when its program has to pause.

use std::collections::VecDeque;
use std::io::Write;
use std::rc::Rc;

use super::protocol::Tls;
use crate::exception::Result;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::transports::invoke;

/// What is encrypted and waits for the transport below.
#[derive(Default)]
pub(super) struct Outgoing {
    pieces: VecDeque<Vec<u8>>,
    len: usize,
}

impl Outgoing {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, piece: Vec<u8>) {
        self.len += piece.len();
        self.pieces.push_back(piece);
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        let piece = self.pieces.pop_front()?;
        self.len -= piece.len();
        Some(piece)
    }
}

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
        while !self.writing_paused.get() && self.send_piece()? {}
        self.pause_or_resume();
        Ok(())
    }

    /// Sends all that is encrypted: nothing follows.
    pub(super) fn flush_all(&self) -> Result<()> {
        self.collect()?;
        while self.send_piece()? {}
        Ok(())
    }

    fn collect(&self) -> Result<()> {
        let mut connection = self.connection.borrow_mut();
        while connection.wants_write() {
            let mut piece = Vec::new();
            connection.write_tls(&mut piece).map_err(os_error)?;
            self.outgoing.borrow_mut().push(piece);
        }
        Ok(())
    }

    fn send_piece(&self) -> Result<bool> {
        let piece = self.outgoing.borrow_mut().pop();
        match (piece, self.below()) {
            (Some(piece), Some(below)) if !below.is_closing() => below.write(piece).map(|()| true),
            (piece, _) => Ok(piece.is_some()),
        }
    }

    /// Asks the program to pause or to go on.
    pub(super) fn pause_or_resume(&self) {
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
