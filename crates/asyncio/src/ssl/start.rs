//! How an encrypted connection begins.

use std::rc::Rc;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use super::SslContext;
use super::errors::ssl_error;
use super::protocol::{Below, Tls};
use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::exceptions::ValueError;
use crate::protocols::Protocol;
use crate::security::Security;
use crate::transports::Transport;

/// How long a handshake and a goodbye may take unless given, in seconds.
const HANDSHAKE_TIMEOUT: f64 = 60.0;
const SHUTDOWN_TIMEOUT: f64 = 30.0;

/// What was given of encryption for a connection or server.
#[derive(Clone, Default)]
pub(crate) struct Ssl {
    pub(crate) context: Option<SslContext>,
    pub(crate) server_hostname: Option<String>,
    pub(crate) handshake_timeout: Option<f64>,
    pub(crate) shutdown_timeout: Option<f64>,
}

/// Which side of the connection this is, ready to begin.
#[derive(Clone)]
pub(crate) struct Side {
    config: Config,
    pub(super) handshake_timeout: f64,
    pub(super) shutdown_timeout: f64,
}

#[derive(Clone)]
enum Config {
    Client(Arc<ClientConfig>, ServerName<'static>),
    Server(Arc<ServerConfig>),
}

impl Ssl {
    pub(crate) fn new(context: &SslContext) -> Self {
        Self {
            context: Some(context.clone()),
            ..Self::default()
        }
    }

    /// The security of a client that talks to `host`, unless another name was given.
    pub(crate) fn client(&self, host: Option<&str>) -> Result<Security> {
        let Some(context) = &self.context else {
            return self.plain();
        };
        let Some(name) = self.server_hostname.as_deref().or(host) else {
            let message = "You must set server_hostname when using ssl without a host";
            return Err(ValueError::new(message).into());
        };
        let parsed = ServerName::try_from(name.to_owned()).map_err(|_| {
            let message = format!("server_hostname is no name of a server: '{name}'");
            Exception::from(ValueError::new(message))
        })?;
        Ok(self.side(Config::Client(Arc::new(context.client_config()?), parsed)))
    }

    /// The security of a server.
    pub(crate) fn server(&self) -> Result<Security> {
        let Some(context) = &self.context else {
            return self.plain();
        };
        let config = context.server_config()?;
        Ok(self.side(Config::Server(Arc::new(config))))
    }

    fn side(&self, config: Config) -> Security {
        Security::of(Side {
            config,
            handshake_timeout: self.handshake_timeout.unwrap_or(HANDSHAKE_TIMEOUT),
            shutdown_timeout: self.shutdown_timeout.unwrap_or(SHUTDOWN_TIMEOUT),
        })
    }

    fn plain(&self) -> Result<Security> {
        let given = [
            ("server_hostname", self.server_hostname.is_some()),
            ("ssl_handshake_timeout", self.handshake_timeout.is_some()),
            ("ssl_shutdown_timeout", self.shutdown_timeout.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => {
                let message = format!("{name} is only meaningful with ssl");
                Err(ValueError::new(message).into())
            }
            None => Ok(Security::default()),
        }
    }
}

impl Side {
    pub(super) fn connection(&self) -> Result<Connection> {
        let connection = match &self.config {
            Config::Client(config, name) => {
                ClientConnection::new(config.clone(), name.clone()).map(Connection::Client)
            }
            Config::Server(config) => ServerConnection::new(config.clone()).map(Connection::Server),
        };
        let mut connection = connection.map_err(ssl_error)?;
        // The transport below says when there is too much.
        connection.set_buffer_limit(None);
        Ok(connection)
    }

    /// Encrypts what goes over `transport` from now on, between it and `protocol`.
    pub(crate) async fn upgrade(
        &self,
        event_loop: &EventLoop,
        transport: &Transport,
        protocol: Rc<dyn Protocol>,
    ) -> Result<Transport> {
        let waiter = event_loop.create_future();
        let tls = Tls::new(event_loop, self, protocol, waiter.clone())?;
        tls.is_connected_already();
        transport.pause_reading();
        transport.set_protocol(Rc::new(Below(tls.clone())));
        let (begun, below) = (tls.clone(), transport.clone());
        event_loop.call_soon(move || begun.begin(&below))?;
        let below = transport.clone();
        event_loop.call_soon(move || below.resume_reading())?;
        let result = waiter.await;
        if result.is_err() {
            transport.close();
        }
        result.map(|()| tls.transport())
    }
}

/// The keyword arguments of encryption, for a builder with a field `ssl`.
macro_rules! ssl_options {
    ($builder:ident $(<$generic:ident>)? $(, $hostname:ident)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            /// Encrypts the connection; with the feature `ssl`.
            pub fn with_ssl(mut self, context: &crate::ssl::SslContext) -> Self {
                self.ssl.context = Some(context.clone());
                self
            }

            $(
                /// The name that the server has to show, instead of the host's.
                pub fn $hostname(mut self, server_hostname: &str) -> Self {
                    self.ssl.server_hostname = Some(server_hostname.to_owned());
                    self
                }
            )?

            /// How long the handshake may take, in seconds; 60 unless given.
            pub fn with_ssl_handshake_timeout(mut self, seconds: f64) -> Self {
                self.ssl.handshake_timeout = Some(seconds);
                self
            }

            /// How long the other side may take to say goodbye, in seconds; 30 unless given.
            pub fn with_ssl_shutdown_timeout(mut self, seconds: f64) -> Self {
                self.ssl.shutdown_timeout = Some(seconds);
                self
            }
        }
    };
}
use crate::create_connection::CreateConnection;
use crate::create_server::CreateServer;
use crate::streams::{OpenConnection, StartServer};
ssl_options!(CreateConnection<F>, with_server_hostname);
ssl_options!(OpenConnection, with_server_hostname);
ssl_options!(CreateServer);
ssl_options!(StartServer);
