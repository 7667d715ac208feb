//! `asyncio.StreamReaderProtocol`: the protocol that feeds a reader.

use std::cell::RefCell;
use std::rc::Rc;

use super::{FlowControl, StreamReader, StreamWriter};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::handler::ExceptionContext;
use crate::protocols::Protocol;
use crate::running;
use crate::tasks::Task;
use crate::transports::Transport;

/// What a server does with each connection: makes a task of it.
pub(super) type ClientConnected = Rc<dyn Fn(StreamReader, StreamWriter) -> Result<Task<()>>>;

/// What makes tasks of `callback`.
pub(super) fn task_of<F>(callback: F) -> ClientConnected
where
    F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
{
    let callback = Rc::new(callback);
    Rc::new(move |reader, writer| {
        let callback = callback.clone();
        let client = async move { callback(reader, writer).await };
        running::get_running_loop()?.create_task(client)
    })
}

/// Gives what a transport reads to a [`StreamReader`], and has its writers wait.
///
/// [`open_connection`](crate::open_connection) and its kin use one. A program makes one where
/// streams have no function of their own, as over a pipe:
///
/// ```
/// use hilos_asyncio as asyncio;
/// use asyncio::{StreamReader, StreamReaderProtocol};
/// use std::io::Write;
///
/// asyncio::run(async {
///     let (pipe, mut other_end) = std::io::pipe()?;
///     let reader = StreamReader::new();
///     let protocol = StreamReaderProtocol::new(&reader);
///     let event_loop = asyncio::get_running_loop()?;
///     event_loop.connect_read_pipe(|| protocol, pipe).await?;
///     other_end.write_all(b"one\ntwo\n")?;
///     drop(other_end);
///     assert_eq!(reader.readline().await?, b"one\n");
///     assert_eq!(reader.read_to_end().await?, b"two\n");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// Mirrors [`asyncio.StreamReaderProtocol`](https://docs.python.org/3.14/library/asyncio-stream.html).
pub struct StreamReaderProtocol {
    event_loop: EventLoop,
    reader: RefCell<Option<StreamReader>>,
    client_connected: RefCell<Option<ClientConnected>>,
    flow: Rc<FlowControl>,
}

impl StreamReaderProtocol {
    /// A protocol that feeds `stream_reader`, in the running loop or the thread's current one.
    ///
    /// # Panics
    /// If there is neither.
    #[track_caller]
    pub fn new(stream_reader: &StreamReader) -> Self {
        Self::of(&running::expect(), stream_reader.clone(), None)
    }

    /// Makes a task of `client_connected_cb` when the connection is there.
    pub fn with_client_connected_cb<F>(self, client_connected_cb: F) -> Self
    where
        F: AsyncFn(StreamReader, StreamWriter) -> Result<()> + 'static,
    {
        *self.client_connected.borrow_mut() = Some(task_of(client_connected_cb));
        self
    }

    /// The loop that its readers and writers wait in.
    pub fn get_loop(&self) -> EventLoop {
        self.event_loop.clone()
    }

    pub(super) fn in_loop(
        event_loop: &EventLoop,
        reader: StreamReader,
        client_connected: Option<ClientConnected>,
    ) -> Rc<Self> {
        Rc::new(Self::of(event_loop, reader, client_connected))
    }

    fn of(
        event_loop: &EventLoop,
        reader: StreamReader,
        client_connected: Option<ClientConnected>,
    ) -> Self {
        Self {
            event_loop: event_loop.clone(),
            reader: RefCell::new(Some(reader)),
            client_connected: RefCell::new(client_connected),
            flow: Rc::new(FlowControl::new(event_loop)),
        }
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
        let writer = StreamWriter::with_flow(transport.clone(), self.flow(), Some(reader.clone()));
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
                task.get_loop().report(context);
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
            reader.attach(Some(transport.clone()));
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
            reader.attach(None);
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
