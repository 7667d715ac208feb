//! The protocol that gives a child's pipes to coroutines.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::SubprocessTransport;
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::protocols::SubprocessProtocol;
use crate::streams::{FlowControl, StreamReader, StreamWriter};

/// CPython's `SubprocessStreamProtocol`.
pub(super) struct StreamProtocol {
    event_loop: EventLoop,
    limit: usize,
    flow: Rc<FlowControl>,
    pub(super) stdin: RefCell<Option<StreamWriter>>,
    outputs: [RefCell<Option<StreamReader>>; 2],
    /// How many of the outputs are open.
    open: Cell<usize>,
    exited: Cell<bool>,
    transport: RefCell<Option<SubprocessTransport>>,
}

impl StreamProtocol {
    pub(super) fn new(event_loop: &EventLoop, limit: usize) -> Self {
        Self {
            event_loop: event_loop.clone(),
            limit,
            flow: Rc::new(FlowControl::new(event_loop)),
            stdin: RefCell::default(),
            outputs: Default::default(),
            open: Cell::new(0),
            exited: Cell::new(false),
            transport: RefCell::default(),
        }
    }

    /// The reader of the standard output, 1, or errors, 2.
    pub(super) fn output(&self, fd: i32) -> Option<StreamReader> {
        let index = usize::try_from(fd - 1).ok()?;
        self.outputs.get(index)?.borrow().clone()
    }

    fn stdin_lost(&self, exc: Option<&Exception>) {
        let stdin = self.stdin.borrow().clone();
        if let Some(stdin) = stdin {
            stdin.close();
        }
        self.flow.connection_lost(exc);
    }

    /// Closes the transport when the child has ended and all that it wrote is read.
    fn maybe_close(&self) {
        if self.open.get() == 0 && self.exited.get() {
            let transport = self.transport.take();
            if let Some(transport) = transport {
                transport.close();
            }
        }
    }
}

impl SubprocessProtocol for StreamProtocol {
    fn connection_made(&self, transport: &SubprocessTransport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        for (output, fd) in self.outputs.iter().zip(1..) {
            if let Some(pipe) = transport.get_pipe_transport(fd) {
                let reader = StreamReader::in_loop(&self.event_loop, self.limit);
                reader.attach(Some(pipe));
                *output.borrow_mut() = Some(reader);
                self.open.set(self.open.get() + 1);
            }
        }
        if let Some(pipe) = transport.get_pipe_transport(0) {
            let writer = StreamWriter::with_flow(pipe, self.flow.clone(), None);
            *self.stdin.borrow_mut() = Some(writer);
        }
        Ok(())
    }

    fn pipe_data_received(&self, fd: i32, data: &[u8]) -> Result<()> {
        if let Some(reader) = self.output(fd) {
            reader.feed_data(data);
        }
        Ok(())
    }

    fn pipe_connection_lost(&self, fd: i32, exc: Option<&Exception>) -> Result<()> {
        if fd == 0 {
            self.stdin_lost(exc);
            return Ok(());
        }
        if let Some(reader) = self.output(fd) {
            match exc {
                None => reader.feed_eof(),
                Some(exception) => reader.set_exception(exception.clone()),
            }
            reader.attach(None);
            self.open.set(self.open.get() - 1);
        }
        self.maybe_close();
        Ok(())
    }

    fn process_exited(&self) -> Result<()> {
        self.exited.set(true);
        self.maybe_close();
        Ok(())
    }

    fn pause_writing(&self) -> Result<()> {
        self.flow.pause_writing();
        Ok(())
    }

    fn resume_writing(&self) -> Result<()> {
        self.flow.resume_writing();
        Ok(())
    }
}
