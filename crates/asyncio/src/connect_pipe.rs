//! `loop.connect_read_pipe` and `loop.connect_write_pipe`.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::protocols::Protocol;
use crate::transports::{Direction, PipeTransport, StreamTransport, Transport};

impl EventLoop {
    /// Gives what comes out of a pipe to a protocol of `protocol_factory`.
    ///
    /// `pipe` may be a pipe, a socket or a terminal; it is set to non-blocking, and closed with the
    /// transport.
    ///
    /// # Errors
    /// [`ValueError`](crate::ValueError) if it is something else; the `CancelledError` of a task
    /// that is cancelled meanwhile.
    ///
    /// Mirrors [`loop.connect_read_pipe`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.connect_read_pipe).
    pub async fn connect_read_pipe<F, P, S>(
        &self,
        protocol_factory: F,
        pipe: S,
    ) -> Result<(Transport, Rc<P>)>
    where
        F: FnOnce() -> P,
        P: Protocol,
        S: Into<OwnedFd>,
    {
        self.connect_pipe(protocol_factory(), pipe.into(), Direction::Read)
            .await
    }

    /// Gives a transport that writes into a pipe to a protocol of `protocol_factory`.
    ///
    /// # Errors
    /// As [`connect_read_pipe`](Self::connect_read_pipe).
    ///
    /// Mirrors [`loop.connect_write_pipe`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.connect_write_pipe).
    pub async fn connect_write_pipe<F, P, S>(
        &self,
        protocol_factory: F,
        pipe: S,
    ) -> Result<(Transport, Rc<P>)>
    where
        F: FnOnce() -> P,
        P: Protocol,
        S: Into<OwnedFd>,
    {
        self.connect_pipe(protocol_factory(), pipe.into(), Direction::Write)
            .await
    }

    async fn connect_pipe<P: Protocol>(
        &self,
        protocol: P,
        pipe: OwnedFd,
        direction: Direction,
    ) -> Result<(Transport, Rc<P>)> {
        let protocol = Rc::new(protocol);
        let waiter = self.create_future();
        let (told, waited) = (protocol.clone(), waiter.clone());
        let transport = PipeTransport::start(self, pipe, direction, told, waited)?;
        let result = waiter.await;
        if result.is_err() {
            transport.clone().close();
        }
        result.map(|()| (Transport(transport), protocol))
    }
}
