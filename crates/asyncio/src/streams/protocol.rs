//! `asyncio.StreamReaderProtocol`: the protocol that feeds a reader.

use std::cell::RefCell;
use std::rc::Rc;

use super::{FlowControl, StreamReader, StreamWriter};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::handler::ExceptionContext;
use crate::protocols::Protocol;
use crate::tasks::Task;
use crate::transports::Transport;

/// What a server does with each connection: makes a task of it.
pub(super) type ClientConnected = Rc<dyn Fn(StreamReader, StreamWriter) -> Result<Task<()>>>;

/// Gives what a transport reads to a [`StreamReader`], and has its writers wait.
pub(crate) struct StreamReaderProtocol {
    reader: RefCell<Option<StreamReader>>,
    client_connected: RefCell<Option<ClientConnected>>,
    flow: Rc<FlowControl>,
}

impl StreamReaderProtocol {
    pub(super) fn new(
        event_loop: &EventLoop,
        reader: StreamReader,
        client_connected: Option<ClientConnected>,
    ) -> Rc<Self> {
        Rc::new(Self {
            reader: RefCell::new(Some(reader)),
            client_connected: RefCell::new(client_connected),
            flow: Rc::new(FlowControl::new(event_loop)),
        })
    }

    fn reader(&self) -> Option<StreamReader> {
        self.reader.borrow().clone()
    }

    /// What the writers of the connection wait by.
    pub(super) fn flow(&self) -> Rc<FlowControl> {
        self.flow.clone()
    }

    fn start_client(&self, connected: &ClientConnected, transport: &Transport) -> Result<()> {
        let Some(reader) = self.reader() else {
            return Ok(());
        };
        let writer = StreamWriter::new(transport.clone(), self.flow(), Some(reader.clone()));
        let task = connected(reader, writer)?;
        let transport = transport.clone();
        task.add_done_callback(move |task| {
            if task.cancelled() {
                transport.close();
                return Ok(());
            }
            if let Some(exception) = task.exception()? {
                let message = "Unhandled exception in client_connected_cb";
                let context = ExceptionContext::new(message).with_exception(exception);
                task.get_loop().call_exception_handler(context);
                transport.close();
            }
            Ok::<_, Exception>(())
        });
        Ok(())
    }
}

impl Protocol for StreamReaderProtocol {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        if let Some(reader) = self.reader() {
            reader.set_transport(Some(transport.clone()));
            transport.0.only_feeds();
        }
        let connected = self.client_connected.take();
        match connected {
            Some(connected) => self.start_client(&connected, transport),
            None => Ok(()),
        }
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        if let Some(reader) = self.reader() {
            reader.feed_data(data);
        }
        Ok(())
    }

    fn eof_received(&self) -> Result<bool> {
        if let Some(reader) = self.reader() {
            reader.feed_eof();
        }
        Ok(true)
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        if let Some(reader) = self.reader.take() {
            match exc {
                None => reader.feed_eof(),
                Some(exception) => reader.set_exception(exception.clone()),
            }
            reader.set_transport(None);
        }
        self.flow.connection_lost(exc);
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
