//! What a program does with an encrypted connection: CPython's `_SSLProtocolTransport`.

use std::fmt;
use std::rc::Rc;

use super::protocol::{State, Tls};
use crate::exception::{Exception, Result};
use crate::protocols::Protocol;
use crate::transports::{ExtraInfo, Flow, SendfileMode, StreamTransport};

impl StreamTransport for Tls {
    fn close(self: Rc<Self>) {
        match self.state.get() {
            State::Open => {
                let said = self.shut_down();
                // What has come already is of no use any more, but the other side's goodbye is.
                self.or_fail(said.and_then(|()| self.deliver()));
            }
            State::Handshake => self.abort(),
            State::Closing | State::Closed => {}
        }
    }

    fn abort(self: Rc<Self>) {
        self.state.set(State::Closed);
        self.stop_timer();
        if let Some(below) = self.below() {
            below.abort();
        }
    }

    fn is_closing(&self) -> bool {
        matches!(self.state.get(), State::Closing | State::Closed)
    }

    fn write(self: Rc<Self>, data: &[u8]) -> Result<()> {
        // What is written to a lost connection is lost with it.
        if self.state.get() == State::Open && !data.is_empty() {
            self.or_fail(self.send(data));
        }
        Ok(())
    }

    fn writelines(self: Rc<Self>, lines: &[&[u8]]) -> Result<()> {
        self.write(&lines.concat())
    }

    fn write_eof(self: Rc<Self>) -> Result<()> {
        let text = "an encrypted connection cannot be half closed";
        Err(Exception::new("NotImplementedError", text))
    }

    fn can_write_eof(&self) -> bool {
        false
    }

    fn pause_reading(self: Rc<Self>) {
        if self.state.get() == State::Open
            && !self.reading_paused.replace(true)
            && let Some(below) = self.below()
        {
            below.pause_reading();
        }
    }

    fn resume_reading(self: Rc<Self>) {
        if !self.reading_paused.replace(false) {
            return;
        }
        if let Some(below) = self.below() {
            below.resume_reading();
        }
        self.deliver_soon();
    }

    fn is_reading(&self) -> bool {
        self.state.get() == State::Open && !self.reading_paused.get()
    }

    fn get_write_buffer_size(&self) -> usize {
        self.outgoing.borrow().len()
    }

    fn flow(&self) -> &Flow {
        &self.flow
    }

    fn control_writing(&self) {
        self.pause_or_resume();
    }

    fn get_protocol(&self) -> Option<Rc<dyn Protocol>> {
        self.above()
    }

    fn set_protocol(self: Rc<Self>, protocol: Rc<dyn Protocol>) {
        let old = self.above.replace(Some(protocol));
        drop(old);
    }

    fn get_extra_info(&self, name: &str) -> Option<ExtraInfo> {
        let connection = self.connection.borrow();
        let text = match name {
            "cipher" => {
                let suite = connection.negotiated_cipher_suite()?.suite();
                suite.as_str()?.to_owned()
            }
            "version" => format!("{:?}", connection.protocol_version()?).replace('_', "."),
            "selected_alpn_protocol" => {
                String::from_utf8_lossy(connection.alpn_protocol()?).into_owned()
            }
            name => return self.below()?.get_extra_info(name),
        };
        Some(ExtraInfo::Text(text))
    }

    fn is_start_tls_compatible(&self) -> bool {
        true
    }

    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<_SSLProtocolTransport {:?}", self.state.get())?;
        if let Some(below) = self.below() {
            write!(f, " over {below}")?;
        }
        f.write_str(">")
    }

    fn sendfile_mode(self: Rc<Self>) -> SendfileMode {
        SendfileMode::Fallback
    }
}
