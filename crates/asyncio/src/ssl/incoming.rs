//! What an encrypted connection receives, and what the program gets of it.

use std::io::Read;
use std::rc::Rc;

use super::errors::ssl_error;
use super::protocol::{State, Tls};
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::os_error::os_error;
use crate::protocols::{BufferedProtocol, Protocol};
use crate::transports::invoke;

impl Tls {
    /// Decrypts `data`, and gives it to the program.
    pub(super) fn receive(self: &Rc<Self>, data: &[u8]) -> Result<()> {
        if self.state.get() == State::Closed {
            return Ok(());
        }
        let decrypted = self.decrypt(data);
        // What is to be said of an error is in there too.
        self.flush()?;
        if decrypted.is_ok() {
            self.advance();
        }
        // What came before an error counts.
        self.deliver()?;
        decrypted
    }

    fn decrypt(&self, mut data: &[u8]) -> Result<()> {
        self.greet(&mut data)?;
        while !data.is_empty() && self.read_tls(&mut data)? > 0 {
            self.take_in(data.len())?;
        }
        Ok(())
    }

    fn read_tls(&self, data: &mut &[u8]) -> Result<usize> {
        let mut connection = self.connection.borrow_mut();
        connection.read_tls(data).map_err(os_error)
    }

    /// Decrypts what was read; at most `more` bytes will follow.
    pub(super) fn take_in(&self, more: usize) -> Result<()> {
        let mut connection = self.connection.borrow_mut();
        let news = connection.process_new_packets().map_err(ssl_error)?;
        let count = news.plaintext_bytes_to_read();
        if count > 0 {
            let mut incoming = self.incoming.borrow_mut();
            incoming.reserve(count + more);
            let mut plain = connection.reader().take(count as u64);
            plain.read_to_end(&mut incoming).map_err(os_error)?;
        }
        if news.peer_has_closed() {
            self.other_side_done.set(true);
        }
        Ok(())
    }

    /// Gives the program what is decrypted, and then the end, until it pauses.
    pub(super) fn deliver(self: &Rc<Self>) -> Result<()> {
        let incoming = self.incoming.take();
        let mut rest = &*incoming;
        while !rest.is_empty() && self.gives() {
            rest = &rest[self.give(rest)?..];
        }
        if self.state.get() == State::Open && !rest.is_empty() {
            let rest = rest.to_vec();
            self.incoming.borrow_mut().splice(..0, rest);
        }
        let is_held = self.state.get() == State::Open && !self.gives();
        match self.other_side_done.get() && !is_held {
            true => self.other_side_is_done(),
            false => Ok(()),
        }
    }

    /// Whether the program wants more; after its own goodbye it gets none.
    fn gives(&self) -> bool {
        self.state.get() == State::Open && !self.reading_paused.get()
    }

    /// Gives the program the beginning of `data`, and returns how much that is.
    fn give(&self, data: &[u8]) -> Result<usize> {
        let Some(above) = self.above() else {
            return Ok(data.len());
        };
        match above.as_buffered() {
            Some(buffered) => fill(buffered, data),
            None => invoke(|| above.data_received(data)).map(|()| data.len()),
        }
    }

    /// Has the program get what came while it paused.
    pub(super) fn deliver_soon(self: &Rc<Self>) {
        let this = self.clone();
        // Only a closed loop refuses, and calls nobody any more.
        let _ = self
            .event_loop
            .call_soon(move || this.or_fail(this.deliver()));
    }
}

fn fill(buffered: &dyn BufferedProtocol, data: &[u8]) -> Result<usize> {
    let mut count = 0;
    let mut copy = |buffer: &mut [u8]| {
        count = buffer.len().min(data.len());
        buffer[..count].copy_from_slice(&data[..count]);
    };
    invoke(|| buffered.get_buffer(Some(data.len()), &mut copy))?;
    if count == 0 {
        return Err(RuntimeError::new("get_buffer() returned an empty buffer").into());
    }
    invoke(|| buffered.buffer_updated(count))?;
    Ok(count)
}
