//! `loop.start_tls` and `StreamWriter.start_tls`.

use std::rc::Rc;

use super::{Ssl, SslContext};
use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::protocols::Protocol;
use crate::streams::StreamWriter;
use crate::transports::Transport;

impl EventLoop {
    /// Encrypts what goes over `transport` from now on, as a client of the server with this name;
    /// as a server for `None`.
    ///
    /// Returns the transport that the program is to use instead.
    ///
    /// # Errors
    /// What the handshake fails with, as `SSLCertVerificationError`; the connection is closed then.
    ///
    /// # Differences from Python
    /// - A name stands for `server_side=False`, `None` for `server_side=True`.
    ///
    /// Mirrors [`loop.start_tls`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.start_tls).
    pub async fn start_tls<'h, H>(
        &self,
        transport: &Transport,
        protocol: Rc<dyn Protocol>,
        context: &SslContext,
        server_hostname: H,
    ) -> Result<Transport>
    where
        H: Into<Option<&'h str>>,
    {
        let ssl = Ssl::new(context);
        let security = match server_hostname.into() {
            Some(name) => ssl.client(Some(name))?,
            None => ssl.server()?,
        };
        let side = security.side().expect("a context was given");
        side.upgrade(self, transport, protocol).await
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
    pub async fn start_tls<'h, H>(&self, context: &SslContext, server_hostname: H) -> Result<()>
    where
        H: Into<Option<&'h str>>,
    {
        self.drain().await?;
        let below = self.transport();
        let Some(protocol) = below.get_protocol() else {
            return Err(RuntimeError::new("the connection is lost").into());
        };
        let event_loop = crate::get_running_loop()?;
        let upgrade = event_loop.start_tls(&below, protocol, context, server_hostname);
        let transport = upgrade.await?;
        self.replace_transport(transport);
        Ok(())
    }
}
