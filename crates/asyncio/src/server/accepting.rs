//! How a server accepts connections.

use std::io::{self, ErrorKind};

use super::Server;
use crate::address::Address;
use crate::exception::Result;
use crate::handler::ExceptionContext;
use crate::os_error::os_error;
use crate::transports::{Opened, invoke, is_not_ready};
use crate::trsock::TransportSocket;

/// How long a server waits for resources that the system lacks, in seconds.
const ACCEPT_RETRY_DELAY: f64 = 1.0;

impl Server {
    pub(super) fn accept_from(&self, socket: &TransportSocket) -> Result<()> {
        let (server, listening) = (self.clone(), socket.clone());
        let socket = socket.get().map_err(os_error)?;
        self.0
            .event_loop
            .add_reader(&*socket, move || server.accept_ready(&listening))
    }

    /// Accepts all connections that wait, or as many as may wait at once.
    fn accept_ready(&self, socket: &TransportSocket) -> Result<()> {
        for _ in 0..=self.0.how.backlog {
            match socket.get().and_then(|socket| socket.accept()) {
                Ok((connection, address)) => {
                    let opened = Opened {
                        socket: connection,
                        peername: Some(Address::new(&address)),
                        server: Some(self.clone()),
                    };
                    let accept = self.clone().accept(opened);
                    self.0.event_loop.create_task(accept)?;
                }
                Err(error) if is_not_ready(&error) => break,
                // It was gone before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) if lacks_resources(&error) => return self.retry_later(socket, error),
                Err(error) => return Err(os_error(error)),
            }
        }
        Ok(())
    }

    /// The system would report the socket as ready again and again.
    fn retry_later(&self, socket: &TransportSocket, error: io::Error) -> Result<()> {
        let context = ExceptionContext::new("socket.accept() out of system resource");
        let context = context.with_exception(os_error(error));
        self.0.event_loop.report(context);
        if let Ok(open) = socket.get() {
            self.0.event_loop.remove_reader(&*open);
        }
        let (server, socket) = (self.clone(), socket.clone());
        let again = move || match server.is_open() {
            true => server.accept_from(&socket),
            false => Ok(()),
        };
        self.0.event_loop.call_later(ACCEPT_RETRY_DELAY, again)?;
        Ok(())
    }

    /// Begins a connection; a failure is the connection's, and shown only in debug mode.
    async fn accept(self, opened: Opened) -> Result<()> {
        let event_loop = self.get_loop();
        match self.connect(opened).await {
            Err(exception) if exception.is_exit() => return Err(exception),
            Err(exception) if event_loop.get_debug() => {
                let message = "Error on transport creation for incoming connection";
                let context = ExceptionContext::new(message).with_exception(exception);
                event_loop.report(context);
            }
            _ => {}
        }
        Ok(())
    }

    async fn connect(&self, opened: Opened) -> Result<()> {
        let how = &self.0.how;
        let protocol = invoke(|| Ok((how.factory)()))?;
        let started = how.security.start(&self.0.event_loop, opened, protocol);
        started.await.map(drop)
    }
}

fn lacks_resources(error: &io::Error) -> bool {
    use nix::libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(&error.raw_os_error().unwrap_or_default())
}
