//! Whether a connection is encrypted.

use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::protocols::Protocol;
#[cfg(feature = "ssl")]
pub(crate) use crate::ssl::Ssl;
use crate::transports::{Opened, SocketTransport, Transport};

/// How connections are protected: not at all, unless the program says so.
#[derive(Clone, Default)]
pub(crate) struct Security {
    #[cfg(feature = "ssl")]
    side: Option<crate::ssl::Side>,
}

impl Security {
    #[cfg(feature = "ssl")]
    pub(crate) fn of(side: crate::ssl::Side) -> Self {
        Self { side: Some(side) }
    }

    #[cfg(feature = "ssl")]
    pub(crate) fn into_side(self) -> crate::ssl::Side {
        self.side.expect("it was made of one")
    }

    /// Makes the transport between a socket and `protocol`, and waits until that is told.
    pub(crate) async fn start(
        &self,
        event_loop: &EventLoop,
        opened: Opened,
        protocol: Rc<dyn Protocol>,
    ) -> Result<Transport> {
        let waiter = event_loop.create_future();
        #[cfg(feature = "ssl")]
        if let Some(side) = &self.side {
            let tls = crate::ssl::Tls::new(event_loop, side, protocol, waiter.clone())?;
            let below = Rc::new(crate::ssl::Below(tls.clone()));
            SocketTransport::start(event_loop, opened, below, None)?;
            return ready(waiter, tls.transport()).await;
        }
        let told = Some(waiter.clone());
        let transport = SocketTransport::start(event_loop, opened, protocol, told)?;
        ready(waiter, Transport(transport)).await
    }
}

/// Waits for `waiter`; if that fails, the connection is of no use.
async fn ready(waiter: crate::futures::Future<()>, transport: Transport) -> Result<Transport> {
    let result = waiter.await;
    if result.is_err() {
        transport.close();
    }
    result.map(|()| transport)
}

/// What was given of encryption, where there is none.
#[cfg(not(feature = "ssl"))]
#[derive(Clone, Default)]
pub(crate) struct Ssl(());

#[cfg(not(feature = "ssl"))]
impl Ssl {
    pub(crate) fn client(&self, _host: Option<&str>) -> Result<Security> {
        Ok(Security::default())
    }

    pub(crate) fn server(&self) -> Result<Security> {
        Ok(Security::default())
    }
}
