//! `asyncio.StreamReader`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use super::buffer::Buffer;
use super::{IncompleteReadError, LimitOverrunError, Separators};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::{RuntimeError, ValueError};
use crate::futures::Future;
use crate::repr::debug_like_display;
use crate::running;
use crate::site::{self, WaitsIn};
use crate::transports::Transport;
use crate::wait::release;

/// What a coroutine reads from a connection.
///
/// [`open_connection`](crate::open_connection) returns one. A handle: clones read from the same
/// stream, but only one task may wait at a time.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let reader = asyncio::StreamReader::new();
///     reader.feed_data(b"one\ntwo");
///     reader.feed_eof();
///     assert_eq!(reader.readline().await?, b"one\n");
///     assert_eq!(reader.readline().await?, b"two");
///     assert!(reader.at_eof());
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - `async for line in reader` is `while let Some(line) = reader.next().await?`.
///
/// Mirrors [`asyncio.StreamReader`](https://docs.python.org/3.14/library/asyncio-stream.html#asyncio.StreamReader).
#[derive(Clone)]
pub struct StreamReader(Rc<Inner>);

struct Inner {
    event_loop: EventLoop,
    limit: usize,
    buffer: RefCell<Buffer>,
    eof: Cell<bool>,
    /// Of the task that waits for data.
    waiter: RefCell<Option<Future<()>>>,
    exception: RefCell<Option<Exception>>,
    transport: RefCell<Option<Transport>>,
    /// Whether the transport is.
    paused: Cell<bool>,
}

impl StreamReader {
    /// Creates a reader of the running loop that somebody will have to feed.
    ///
    /// # Panics
    /// If no loop runs in this thread.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "it may panic")]
    pub fn new() -> Self {
        Self::in_loop(&running::expect(), super::DEFAULT_LIMIT)
    }

    /// Creates a reader that holds up to `limit` bytes, twice that for a moment.
    ///
    /// # Errors
    /// [`ValueError`] if `limit` is 0.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn with_limit(limit: usize) -> Result<Self> {
        Ok(Self::in_loop(&running::expect(), checked_limit(limit)?))
    }

    pub(crate) fn in_loop(event_loop: &EventLoop, limit: usize) -> Self {
        Self(Rc::new(Inner {
            event_loop: event_loop.clone(),
            limit,
            buffer: RefCell::default(),
            eof: Cell::new(false),
            waiter: RefCell::default(),
            exception: RefCell::default(),
            transport: RefCell::default(),
            paused: Cell::new(false),
        }))
    }

    /// The exception that ended the stream, if one did.
    pub fn exception(&self) -> Option<Exception> {
        self.0.exception.borrow().clone()
    }

    /// Ends the stream with an exception, which whoever waits gets, and all who read later.
    pub fn set_exception<E: Into<Exception>>(&self, exc: E) {
        let exception = exc.into();
        *self.0.exception.borrow_mut() = Some(exception.clone());
        let waiter = self.0.waiter.take();
        if let Some(waiter) = waiter.filter(|waiter| !waiter.done()) {
            // It is not done.
            let _ = waiter.set_exception(exception);
        }
    }

    /// Has `transport` pause while the buffer is full; a
    /// [`StreamReaderProtocol`](crate::StreamReaderProtocol) does this.
    pub fn set_transport(&self, transport: &Transport) {
        self.attach(Some(transport.clone()));
    }

    pub(crate) fn attach(&self, transport: Option<Transport>) {
        let old = self.0.transport.replace(transport);
        drop(old);
    }

    /// Takes what is not read yet.
    #[cfg(feature = "ssl")]
    pub(super) fn take_buffered(&self) -> Vec<u8> {
        let data = self.0.buffer.borrow_mut().take_all();
        self.maybe_resume();
        data
    }

    fn wake_up(&self) {
        let waiter = self.0.waiter.take();
        if let Some(waiter) = waiter {
            release(&waiter);
        }
    }

    /// Adds `data` to what can be read.
    pub fn feed_data<D: AsRef<[u8]>>(&self, data: D) {
        let data = data.as_ref();
        if data.is_empty() {
            return;
        }
        self.0.buffer.borrow_mut().extend(data);
        self.wake_up();
        let is_full = self.0.buffer.borrow().len() > 2 * self.0.limit;
        if is_full && !self.0.paused.get() {
            let transport = self.0.transport.borrow().clone();
            if let Some(transport) = transport {
                transport.pause_reading();
                self.0.paused.set(true);
            }
        }
    }

    /// Says that nothing more will come.
    pub fn feed_eof(&self) {
        self.0.eof.set(true);
        self.wake_up();
    }

    /// Whether everything is read and nothing more will come.
    pub fn at_eof(&self) -> bool {
        self.0.eof.get() && self.0.buffer.borrow().is_empty()
    }

    fn maybe_resume(&self) {
        if self.0.paused.get() && self.0.buffer.borrow().len() <= self.0.limit {
            self.resume();
        }
    }

    fn resume(&self) {
        if !self.0.paused.replace(false) {
            return;
        }
        let transport = self.0.transport.borrow().clone();
        if let Some(transport) = transport {
            transport.resume_reading();
        }
    }

    async fn wait_for_data(&self, name: &str) -> Result<()> {
        if self.0.waiter.borrow().is_some() {
            let message = format!(
                "{name}() called while another coroutine is already waiting for incoming data"
            );
            return Err(RuntimeError::new(message).into());
        }
        self.resume();
        let waiter = self.0.event_loop.create_future();
        *self.0.waiter.borrow_mut() = Some(waiter.clone());
        let waiting = Waiting(self, waiter.clone());
        site::mark(WaitsIn::StreamRead);
        let result = waiter.waiting().await;
        drop(waiting);
        result
    }

    fn check(&self) -> Result<()> {
        self.exception().map_or(Ok(()), Err)
    }

    /// Reads a line with its newline; less at the end of the stream, and nothing after it.
    ///
    /// # Errors
    /// [`ValueError`] if the line is longer than the limit, which it loses; the stream's
    /// exception; the `CancelledError` of a task that is cancelled meanwhile, which loses nothing.
    pub async fn readline(&self) -> Result<Vec<u8>> {
        let exception = match self.readuntil(b"\n").await {
            Ok(line) => return Ok(line),
            Err(exception) => exception,
        };
        if let Some(incomplete) = exception.downcast_ref::<IncompleteReadError>() {
            return Ok(incomplete.partial.clone());
        }
        let Some(overrun) = exception.downcast_ref::<LimitOverrunError>() else {
            return Err(exception);
        };
        self.drop_line(overrun.consumed);
        self.maybe_resume();
        Err(ValueError::new(overrun.message).into())
    }

    fn drop_line(&self, consumed: usize) {
        let mut buffer = self.0.buffer.borrow_mut();
        let length = match buffer.as_slice().get(consumed) == Some(&b'\n') {
            true => consumed + 1,
            false => buffer.len(),
        };
        buffer.skip(length);
    }

    /// Reads up to the first separator, and that too.
    ///
    /// Of several separators, the one that ends first counts.
    ///
    /// # Errors
    /// [`IncompleteReadError`] with what there is if the stream ends before, [`LimitOverrunError`]
    /// if there is more than the limit before the separator, which stays there to be read in
    /// another way; [`ValueError`] if a separator is empty; the others of
    /// [`readline`](Self::readline).
    pub async fn readuntil<S: Into<Separators>>(&self, separator: S) -> Result<Vec<u8>> {
        let separators = separator.into().checked()?;
        self.check()?;
        let mut offset = 0;
        let (start, end) = loop {
            let found = separators.find(&self.0.buffer.borrow(), offset);
            if let Some(found) = found {
                break found;
            }
            let length = self.0.buffer.borrow().len();
            if length >= offset + separators.shortest() {
                offset = (length + 1).saturating_sub(separators.longest());
                self.check_offset(offset)?;
            }
            if self.0.eof.get() {
                return Err(self.incomplete(None));
            }
            self.wait_for_data("readuntil").await?;
        };
        if start > self.0.limit {
            let message = "Separator is found, but chunk is longer than limit";
            return Err(overrun(message, start));
        }
        let chunk = self.0.buffer.borrow_mut().take(end);
        self.maybe_resume();
        Ok(chunk)
    }

    fn check_offset(&self, offset: usize) -> Result<()> {
        match offset > self.0.limit {
            true => {
                let message = "Separator is not found, and chunk exceed the limit";
                Err(overrun(message, offset))
            }
            false => Ok(()),
        }
    }

    fn incomplete(&self, expected: Option<usize>) -> Exception {
        let partial = self.0.buffer.borrow_mut().take_all();
        IncompleteReadError { partial, expected }.into()
    }

    /// Reads up to `n` bytes, at least one unless the stream is at its end.
    ///
    /// # Errors
    /// The stream's exception; the `CancelledError` of a task that is cancelled meanwhile.
    pub async fn read(&self, n: usize) -> Result<Vec<u8>> {
        self.check()?;
        if n == 0 {
            return Ok(Vec::new());
        }
        if self.0.buffer.borrow().is_empty() && !self.0.eof.get() {
            self.wait_for_data("read").await?;
        }
        let data = self.0.buffer.borrow_mut().take(n);
        self.maybe_resume();
        Ok(data)
    }

    /// Reads until the end of the stream: Python's `read(-1)`.
    ///
    /// # Errors
    /// As [`read`](Self::read); what was read before is lost.
    pub async fn read_to_end(&self) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        loop {
            let block = self.read(self.0.limit).await?;
            if block.is_empty() {
                return Ok(data);
            }
            data.extend(block);
        }
    }

    /// Reads `n` bytes.
    ///
    /// # Errors
    /// [`IncompleteReadError`] with what there is if the stream ends before; those of
    /// [`read`](Self::read).
    pub async fn readexactly(&self, n: usize) -> Result<Vec<u8>> {
        self.check()?;
        while self.0.buffer.borrow().len() < n {
            if self.0.eof.get() {
                return Err(self.incomplete(Some(n)));
            }
            self.wait_for_data("readexactly").await?;
        }
        let data = self.0.buffer.borrow_mut().take(n);
        self.maybe_resume();
        Ok(data)
    }

    /// The next line, `None` at the end of the stream: Python's `async for`.
    ///
    /// # Errors
    /// As [`readline`](Self::readline).
    pub async fn next(&self) -> Result<Option<Vec<u8>>> {
        let line = self.readline().await?;
        Ok((!line.is_empty()).then_some(line))
    }
}

/// Forgets the waiter of a task that does not wait any more.
struct Waiting<'r>(&'r StreamReader, Future<()>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiter = self.0.0.waiter.borrow_mut();
        // Somebody else may wait by now, who was quicker to take what had come.
        if waiter.as_ref() == Some(&self.1) {
            *waiter = None;
        }
    }
}

pub(crate) fn checked_limit(limit: usize) -> Result<usize> {
    match limit {
        0 => Err(ValueError::new("Limit cannot be <= 0").into()),
        limit => Ok(limit),
    }
}

fn overrun(message: &'static str, consumed: usize) -> Exception {
    LimitOverrunError { message, consumed }.into()
}

impl fmt::Display for StreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<StreamReader")?;
        let length = self.0.buffer.borrow().len();
        if length > 0 {
            write!(f, " {length} bytes")?;
        }
        if self.0.eof.get() {
            f.write_str(" eof")?;
        }
        if self.0.limit != super::DEFAULT_LIMIT {
            write!(f, " limit={}", self.0.limit)?;
        }
        if let Some(waiter) = &*self.0.waiter.borrow() {
            write!(f, " waiter={waiter}")?;
        }
        if let Some(exception) = self.exception() {
            write!(f, " exception={}", exception.repr())?;
        }
        if let Some(transport) = &*self.0.transport.borrow() {
            write!(f, " transport={transport}")?;
        }
        if self.0.paused.get() {
            f.write_str(" paused")?;
        }
        f.write_str(">")
    }
}

debug_like_display!(StreamReader);
