//! `asyncio.StreamReaderProtocol`: the protocol that feeds a reader.

use std::cell::RefCell;
use std::rc::Rc;

use super::{FlowControl, StreamReader, StreamWriter};
use crate::exception::{Exception, Result};
use crate::handler::ExceptionContext;
use crate::protocols::Protocol;
use crate::running;
use crate::tasks::Task;
use crate::transports::Transport;

/// What a server does with each connection: makes a task of it.
pub(super) type ClientConnected = Rc<dyn Fn(StreamReader, StreamWriter) -> Result<Task<()>>>;

/// Makes a task of `callback` for each client.
pub(super) fn client_connected<F>(callback: F) -> ClientConnected
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
{
    let callback = Rc::new(callback);
    Rc::new(move |reader: StreamReader, writer: StreamWriter| {
        let callback = callback.clone();
        let client = async move { callback(reader, writer).await };
        running::get_running_loop()?.create_task(client)
    })
}

/// Gives what a transport reads to a [`StreamReader`], and has its writers wait.
///
/// [`open_connection`](crate::open_connection) and [`start_server`](crate::start_server) use it. A
/// program needs it for a stream of something else, as a pipe.
///
/// ```
/// use hilos_asyncio as asyncio;
/// use std::io::Write;
///
/// let (pipe, mut other_end) = std::io::pipe()?;
/// other_end.write_all(b"one\ntwo\n")?;
/// asyncio::run(async move {
///     let event_loop = asyncio::get_running_loop()?;
///     let reader = asyncio::StreamReader::new();
///     let protocol = asyncio::StreamReaderProtocol::new(&reader);
///     event_loop.connect_read_pipe(|| protocol, pipe).await?;
///     assert_eq!(reader.readline().await?, b"one\n");
///     Ok(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Mirrors `asyncio.StreamReaderProtocol`, which CPython does not document.
pub struct StreamReaderProtocol {
    reader: RefCell<Option<StreamReader>>,
    client_connected: RefCell<Option<ClientConnected>>,
    flow: Rc<FlowControl>,
}

impl StreamReaderProtocol {
    /// A protocol that feeds `stream_reader`.
    pub fn new(stream_reader: &StreamReader) -> Self {
        Self {
            reader: RefCell::new(Some(stream_reader.clone())),
            client_connected: RefCell::default(),
            flow: Rc::new(FlowControl::new(stream_reader.event_loop())),
        }
    }

    /// Has `client_connected_cb` run as a task when the connection is there, as
    /// [`start_server`](crate::start_server) does.
    pub fn with_client_connected_cb<F>(self, client_connected_cb: F) -> Self
    where
        F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
    {
        self.connecting(client_connected(client_connected_cb))
    }

    pub(super) fn connecting(self, client_connected: ClientConnected) -> Self {
        self.client_connected.replace(Some(client_connected));
        self
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
        let writer = StreamWriter::new(transport, self, reader.clone());
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
