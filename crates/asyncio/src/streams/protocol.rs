//! `asyncio.StreamReaderProtocol`: the protocol that feeds a reader.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::rc::{Rc, Weak};

use super::{StreamReader, StreamWriter};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::futures::Future;
use crate::handler::ExceptionContext;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::tasks::Task;
use crate::transports::Transport;
use crate::wait::release;

/// What a server does with each connection: makes a task of it.
pub(super) type ClientConnected = Rc<dyn Fn(StreamReader, StreamWriter) -> Result<Task<()>>>;

/// Gives what a transport reads to a [`StreamReader`], and has its writers wait.
pub(crate) struct StreamReaderProtocol {
    this: Weak<Self>,
    event_loop: EventLoop,
    reader: RefCell<Option<StreamReader>>,
    client_connected: RefCell<Option<ClientConnected>>,
    paused: Cell<bool>,
    lost: Cell<bool>,
    drain_waiters: RefCell<VecDeque<Future<()>>>,
    closed: Future<()>,
}

impl StreamReaderProtocol {
    pub(super) fn new(
        event_loop: &EventLoop,
        reader: StreamReader,
        client_connected: Option<ClientConnected>,
    ) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            event_loop: event_loop.clone(),
            reader: RefCell::new(Some(reader)),
            client_connected: RefCell::new(client_connected),
            paused: Cell::new(false),
            lost: Cell::new(false),
            drain_waiters: RefCell::default(),
            closed: event_loop.create_future(),
        })
    }

    fn reader(&self) -> Option<StreamReader> {
        self.reader.borrow().clone()
    }

    /// Waits until the connection is lost.
    pub(super) async fn closed(&self) -> Result<()> {
        (&self.closed).await
    }

    /// Waits while the transport has too much to write.
    pub(super) async fn drain(&self) -> Result<()> {
        if self.lost.get() {
            let lost = io::Error::new(ErrorKind::ConnectionReset, "Connection lost");
            return Err(os_error(lost));
        }
        if !self.paused.get() {
            return Ok(());
        }
        let waiter = self.event_loop.create_future();
        self.drain_waiters.borrow_mut().push_back(waiter.clone());
        let result = (&waiter).await;
        self.drain_waiters
            .borrow_mut()
            .retain(|other| *other != waiter);
        result
    }

    fn start_client(&self, connected: &ClientConnected, transport: &Transport) -> Result<()> {
        let (Some(this), Some(reader)) = (self.this.upgrade(), self.reader()) else {
            return Ok(());
        };
        let writer = StreamWriter::new(transport.clone(), this, Some(reader.clone()));
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
        finish(&self.closed, exc);
        // Nobody has to ask how the connection ended.
        self.closed.head().unseen.set(false);
        self.lost.set(true);
        let waiters = self.drain_waiters.take();
        for waiter in waiters {
            finish(&waiter, exc);
        }
        Ok(())
    }

    fn pause_writing(&self) -> Result<()> {
        self.paused.set(true);
        Ok(())
    }

    fn resume_writing(&self) -> Result<()> {
        self.paused.set(false);
        for waiter in &*self.drain_waiters.borrow() {
            release(waiter);
        }
        Ok(())
    }
}

/// Completes `future`, unless it was cancelled.
fn finish(future: &Future<()>, exc: Option<&Exception>) {
    if future.done() {
        return;
    }
    // It is not done.
    let _ = match exc {
        None => future.set_result(()),
        Some(exception) => future.set_exception(exception.clone()),
    };
}
