//! `loop.connect_accepted_socket`.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::create_connection::{BoxedResult, stream_socket};
use crate::exception::Result;
use crate::protocols::Protocol;
use crate::security::Ssl;
use crate::transports::Transport;

/// A connection that somebody else has accepted, to be taken over; awaiting it does so.
///
/// Returned by [`EventLoop::connect_accepted_socket`]. Yields the transport and the protocol.
#[must_use = "nothing is connected unless it is awaited"]
pub struct ConnectAcceptedSocket<F> {
    event_loop: EventLoop,
    factory: F,
    sock: OwnedFd,
    pub(crate) ssl: Ssl,
}

impl EventLoop {
    /// Gives a connection that was accepted outside of the loop to a protocol of
    /// `protocol_factory`.
    ///
    /// # Errors
    /// [`ValueError`](crate::ValueError) if it is no socket of a stream; what the handshake fails
    /// with if it is encrypted; the `CancelledError` of a task that is cancelled meanwhile.
    ///
    /// Mirrors [`loop.connect_accepted_socket`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.connect_accepted_socket).
    pub fn connect_accepted_socket<F, P, S>(
        &self,
        protocol_factory: F,
        sock: S,
    ) -> ConnectAcceptedSocket<F>
    where
        F: FnOnce() -> P,
        P: Protocol,
        S: Into<OwnedFd>,
    {
        ConnectAcceptedSocket {
            event_loop: self.clone(),
            factory: protocol_factory,
            sock: sock.into(),
            ssl: Ssl::default(),
        }
    }
}

impl<F, P> IntoFuture for ConnectAcceptedSocket<F>
where
    F: FnOnce() -> P + 'static,
    P: Protocol,
{
    type Output = Result<(Transport, Rc<P>)>;
    type IntoFuture = BoxedResult<(Transport, Rc<P>)>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let security = self.ssl.server()?;
            let socket = stream_socket(self.sock)?;
            let protocol = Rc::new((self.factory)());
            let told = protocol.clone();
            let transport = security
                .start(&self.event_loop, socket.into(), told)
                .await?;
            Ok((transport, protocol))
        })
    }
}
