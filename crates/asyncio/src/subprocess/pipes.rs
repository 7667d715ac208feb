//! What the pipes to a child tell its transport.

use std::cell::RefCell;

use super::SubprocessTransport;
use crate::exception::{Exception, Result};
use crate::protocols::Protocol;
use crate::transports::Transport;

/// The protocol of one pipe.
pub(super) struct PipeProtocol {
    /// Until the pipe is closed.
    process: RefCell<Option<SubprocessTransport>>,
    pipe: RefCell<Option<Transport>>,
    fd: usize,
}

impl PipeProtocol {
    pub(super) fn new(process: &SubprocessTransport, fd: usize) -> Self {
        Self {
            process: RefCell::new(Some(process.clone())),
            pipe: RefCell::default(),
            fd,
        }
    }

    fn with_process(&self, call: impl FnOnce(&SubprocessTransport) -> Result<()>) -> Result<()> {
        let process = self.process.borrow().clone();
        process.map_or(Ok(()), |process| call(&process))
    }
}

impl Protocol for PipeProtocol {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        *self.pipe.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.with_process(|process| process.pipe_data_received(self.fd, data))
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let (process, pipe) = (self.process.take(), self.pipe.take());
        match (process, pipe) {
            (Some(process), Some(pipe)) => process.pipe_connection_lost(self.fd, pipe, exc),
            _ => Ok(()),
        }
    }

    fn pause_writing(&self) -> Result<()> {
        self.with_process(SubprocessTransport::pause_writing)
    }

    fn resume_writing(&self) -> Result<()> {
        self.with_process(SubprocessTransport::resume_writing)
    }
}
