//! `loop.start_tls` and `StreamWriter.start_tls`.

use std::rc::Rc;

use super::protocol::{Below, Tls};
use super::{Side, Ssl, SslContext};
use crate::base_events::EventLoop;
use crate::create_connection::BoxedResult;
use crate::exception::{Exception, Result};
use crate::exceptions::RuntimeError;
use crate::protocols::Protocol;
use crate::security::Security;
use crate::streams::StreamWriter;
use crate::transports::Transport;

/// A connection to be encrypted; awaiting it encrypts it.
///
/// Returned by [`EventLoop::start_tls`]. Yields the transport that the program is to use instead.
#[must_use = "nothing is encrypted unless it is awaited"]
pub struct StartTls {
    event_loop: EventLoop,
    transport: Transport,
    protocol: Rc<dyn Protocol>,
    pub(super) ssl: Ssl,
}

/// A stream to be encrypted; awaiting it encrypts it.
///
/// Returned by [`StreamWriter::start_tls`].
#[must_use = "nothing is encrypted unless it is awaited"]
pub struct StartWriterTls {
    writer: StreamWriter,
    pub(super) ssl: Ssl,
}

impl EventLoop {
    /// Encrypts what goes over `transport` from now on, as a client of the server with this name;
    /// as a server for `None`.
    ///
    /// The returned transport is to be used instead. `protocol` goes on with what it gets: it is
    /// not told of a new connection.
    ///
    /// # Errors
    /// What the handshake fails with, as `SSLCertVerificationError`; the connection is closed then,
    /// and when the task is cancelled. [`ValueError`](crate::ValueError) if a timeout is not
    /// positive; `TypeError` if the transport is a pipe's; [`RuntimeError`] if it is closing.
    ///
    /// # Differences from Python
    /// - A name stands for `server_side=False`, `None` for `server_side=True`.
    ///
    /// Mirrors [`loop.start_tls`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.start_tls).
    pub fn start_tls<'h, H>(
        &self,
        transport: &Transport,
        protocol: Rc<dyn Protocol>,
        context: &SslContext,
        server_hostname: H,
    ) -> StartTls
    where
        H: Into<Option<&'h str>>,
    {
        StartTls {
            event_loop: self.clone(),
            transport: transport.clone(),
            protocol,
            ssl: Ssl::new(context, server_hostname.into()),
        }
    }
}

impl StreamWriter {
    /// Encrypts the connection from now on, for all clones of the writer and its reader.
    ///
    /// The writer of a server's client acts as the server, for `None`; others give the server's
    /// name.
    ///
    /// # Errors
    /// Those of [`EventLoop::start_tls`]; [`RuntimeError`] if the connection is lost.
    ///
    /// Mirrors [`StreamWriter.start_tls`](https://docs.python.org/3.14/library/asyncio-stream.html#asyncio.StreamWriter.start_tls).
    pub fn start_tls<'h, H>(&self, context: &SslContext, server_hostname: H) -> StartWriterTls
    where
        H: Into<Option<&'h str>>,
    {
        StartWriterTls {
            writer: self.clone(),
            ssl: Ssl::new(context, server_hostname.into()),
        }
    }
}

impl IntoFuture for StartTls {
    type Output = Result<Transport>;
    type IntoFuture = BoxedResult<Transport>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let side = side(&self.ssl)?;
            upgrade(
                &self.event_loop,
                &side,
                &self.transport,
                self.protocol,
                Vec::new(),
            )
            .await
        })
    }
}

impl IntoFuture for StartWriterTls {
    type Output = Result<()>;
    type IntoFuture = BoxedResult<()>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { writer, ssl } = self;
            let side = side(&ssl)?;
            writer.drain().await?;
            let below = writer.transport();
            let Some(protocol) = below.get_protocol() else {
                return Err(RuntimeError::new("the connection is lost").into());
            };
            // A client may have begun already. What a server has said before is not its secret.
            let early = match ssl.server_hostname {
                None => writer.take_buffered(),
                Some(_) => Vec::new(),
            };
            let event_loop = crate::get_running_loop()?;
            let transport = upgrade(&event_loop, &side, &below, protocol, early).await?;
            writer.replace_transport(transport);
            Ok(())
        })
    }
}

/// A name makes a client.
fn side(ssl: &Ssl) -> Result<Side> {
    let security = match &ssl.server_hostname {
        Some(_) => ssl.client(None),
        None => ssl.server(),
    };
    security.map(Security::into_side)
}

fn check(transport: &Transport) -> Result<()> {
    if !transport.0.is_start_tls_compatible() {
        let message = format!("transport {transport} is not supported by start_tls()");
        return Err(Exception::new("TypeError", message));
    }
    match transport.is_closing() {
        true => Err(RuntimeError::new("start_tls() of a connection that is closing").into()),
        false => Ok(()),
    }
}

/// Encrypts what goes over `transport` from now on; `early` has come already.
async fn upgrade(
    event_loop: &EventLoop,
    side: &Side,
    transport: &Transport,
    protocol: Rc<dyn Protocol>,
    early: Vec<u8>,
) -> Result<Transport> {
    check(transport)?;
    let waiter = event_loop.create_future();
    let tls = Tls::new(event_loop, side, protocol, waiter.clone())?;
    tls.is_connected_already();
    transport.pause_reading();
    transport.set_protocol(Rc::new(Below(tls.clone())));
    let (begun, below) = (tls.clone(), transport.clone());
    event_loop.call_soon(move || {
        begun.or_fail(begun.begin(&below));
        begun.or_fail(begun.receive(&early));
    })?;
    let below = transport.clone();
    event_loop.call_soon(move || below.resume_reading())?;
    let result = waiter.await;
    if result.is_err() {
        transport.close();
    }
    result.map(|()| tls.transport())
}
