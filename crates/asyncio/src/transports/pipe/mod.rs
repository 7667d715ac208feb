//! Transports over pipes: CPython's `_UnixReadPipeTransport` and `_UnixWritePipeTransport`.

mod reading;
mod writing;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::rc::Rc;

use super::{Abandon, Base, Buffer, ExtraInfo, Flow, StreamTransport, Transport, is_not_ready};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::ValueError;
use crate::futures::Future;
use crate::os_error::os_error;
use crate::protocols::Protocol;
use crate::selector::Interest;
use crate::wait::release;

/// How much is read at once.
const MAX_SIZE: usize = 256 * 1024;

/// After so many writes to a lost pipe, each is told to the user.
const LOST_WRITES: u32 = 5;

/// Which end of a pipe it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// Reading and writing never wait; what else is set of the descriptor stays so.
fn set_nonblocking(file: &File) -> Result<()> {
    use nix::fcntl::{F_GETFL, F_SETFL, OFlag, fcntl};
    let flags = OFlag::from_bits_retain(fcntl(file, F_GETFL)?);
    fcntl(file, F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// One end of a pipe.
pub(crate) struct PipeTransport {
    base: Base<dyn Protocol>,
    direction: Direction,
    /// The descriptor that the pipe has, or had.
    number: RawFd,
    file: RefCell<Option<File>>,
    buffer: RefCell<Buffer>,
    paused: Cell<bool>,
    /// Whether the other end tells by this end's reading that it is closed.
    watches_reader: bool,
}

impl PipeTransport {
    /// Starts the transport: the protocol is told soon, then it reads, then `waiter` is done.
    pub(crate) fn start(
        event_loop: &EventLoop,
        pipe: OwnedFd,
        direction: Direction,
        protocol: Rc<dyn Protocol>,
        waiter: Future<()>,
    ) -> Result<Rc<Self>> {
        let file = File::from(pipe);
        let kind = file.metadata().map_err(os_error)?.file_type();
        if !kind.is_fifo() && !kind.is_socket() && !kind.is_char_device() {
            let message = match direction {
                Direction::Read => "Pipe transport is for pipes/sockets only.",
                Direction::Write => {
                    "Pipe transport is only for pipes, sockets and character devices"
                }
            };
            return Err(ValueError::new(message).into());
        }
        set_nonblocking(&file)?;
        let this = Rc::new(Self {
            base: Base::new(event_loop, protocol),
            direction,
            number: file.as_raw_fd(),
            file: RefCell::new(Some(file)),
            buffer: RefCell::default(),
            paused: Cell::new(false),
            watches_reader: !kind.is_char_device(),
        });
        this.base.registration.register(&this);
        let transport = this.clone();
        event_loop.call_soon(move || transport.connection_made())?;
        let transport = this.clone();
        event_loop.call_soon(move || transport.start_reading())?;
        event_loop.call_soon(move || release(&waiter))?;
        Ok(this)
    }

    fn connection_made(self: Rc<Self>) -> Result<()> {
        let transport = Transport(self.clone());
        match self.base.protocol() {
            Some(protocol) => protocol.connection_made(&transport),
            None => Ok(()),
        }
    }

    fn fileno(&self) -> i32 {
        self.file.borrow().as_ref().map_or(-1, File::as_raw_fd)
    }

    fn fatal_error(self: &Rc<Self>, exception: Exception, message: &str) {
        self.base.report_fatal(message, &exception);
        self.close_with(Some(exception));
    }

    fn close_with(self: &Rc<Self>, exception: Option<Exception>) {
        if self.base.is_lost() {
            return;
        }
        self.base.closing.set(true);
        self.buffer.borrow_mut().clear();
        self.stop_writing();
        self.stop_reading();
        self.lose_soon(exception);
    }

    fn lose_soon(self: &Rc<Self>, exception: Option<Exception>) {
        self.base.lose();
        let transport = self.clone();
        let lost = move || transport.call_connection_lost(exception.as_ref());
        // Only a closed loop refuses, and calls nobody any more.
        let _ = self.base.event_loop.call_soon(lost);
    }

    fn call_connection_lost(&self, exception: Option<&Exception>) -> Result<()> {
        let result = self.base.call_connection_lost(exception);
        let file = self.file.take();
        drop(file);
        result
    }
}

impl Abandon for PipeTransport {
    fn abandon(&self) {
        self.base.forget_protocol();
        let file = self.file.take();
        drop(file);
    }
}

impl StreamTransport for PipeTransport {
    fn close(self: Rc<Self>) {
        match self.direction {
            Direction::Read if !self.base.closing.get() => self.close_with(None),
            Direction::Read => {}
            // What waits is written first.
            Direction::Write => self.end(),
        }
    }

    fn abort(self: Rc<Self>) {
        self.close_with(None);
    }

    fn is_closing(&self) -> bool {
        self.base.closing.get()
    }

    fn write(self: Rc<Self>, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if self.base.is_lost() {
            if self.base.conn_lost.get() >= LOST_WRITES {
                eprintln!("pipe closed by peer or os.write(pipe, data) raised exception.");
            }
            self.base.lose();
            return Ok(());
        }
        if self.direction == Direction::Read || self.base.closing.get() {
            return Ok(());
        }
        let mut rest = data;
        if self.buffer.borrow().is_empty() {
            match self.write_now(data) {
                Ok(count) if count == data.len() => return Ok(()),
                Ok(count) => rest = &data[count..],
                Err(error) if is_not_ready(&error) => {}
                Err(error) => {
                    self.fatal_error(os_error(error), "Fatal write error on pipe transport");
                    return Ok(());
                }
            }
            self.start_writing()?;
        }
        self.buffer.borrow_mut().push(rest);
        self.control_writing();
        Ok(())
    }

    fn writelines(self: Rc<Self>, lines: &[&[u8]]) -> Result<()> {
        self.write(&lines.concat())
    }

    fn write_eof(self: Rc<Self>) -> Result<()> {
        if self.direction == Direction::Write {
            self.end();
        }
        Ok(())
    }

    fn can_write_eof(&self) -> bool {
        self.direction == Direction::Write
    }

    fn pause_reading(self: Rc<Self>) {
        if self.is_reading() {
            self.paused.set(true);
            self.stop_reading();
        }
    }

    fn resume_reading(self: Rc<Self>) {
        if self.base.closing.get() || !self.paused.replace(false) {
            return;
        }
        if let Err(exception) = self.clone().start_reading() {
            self.fatal_error(exception, "Fatal read error on pipe transport");
        }
    }

    fn is_reading(&self) -> bool {
        self.direction == Direction::Read && !self.paused.get() && !self.base.closing.get()
    }

    fn get_write_buffer_size(&self) -> usize {
        self.buffer.borrow().len()
    }

    fn flow(&self) -> &Flow {
        &self.base.flow
    }

    fn control_writing(&self) {
        self.base.maybe_pause(self.get_write_buffer_size());
    }

    fn get_protocol(&self) -> Option<Rc<dyn Protocol>> {
        self.base.protocol()
    }

    fn set_protocol(self: Rc<Self>, protocol: Rc<dyn Protocol>) {
        self.base.set_protocol(protocol);
    }

    fn get_extra_info(&self, name: &str) -> Option<ExtraInfo> {
        (name == "pipe").then(|| ExtraInfo::Number(self.fileno().into()))
    }

    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, interest) = match self.direction {
            Direction::Read => ("_UnixReadPipeTransport", Interest::Read),
            Direction::Write => ("_UnixWritePipeTransport", Interest::Write),
        };
        let is_closed = self.file.borrow().is_none();
        let state = match (is_closed, self.base.closing.get()) {
            (true, _) => " closed",
            (false, true) => " closing",
            (false, false) => "",
        };
        write!(f, "<{name}{state} fd={}", self.number)?;
        let polling = self.base.event_loop.polling(self.number, interest);
        match (is_closed, self.direction) {
            (true, _) => f.write_str(" closed>"),
            (false, Direction::Read) => write!(f, " {polling}>"),
            (false, Direction::Write) => {
                write!(f, " {polling} bufsize={}>", self.buffer.borrow().len())
            }
        }
    }
}
