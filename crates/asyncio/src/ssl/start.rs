//! How an encrypted connection begins.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use super::SslContext;
use super::errors::ssl_error;
use super::greeting::Greeting;
use crate::exception::Result;
use crate::exceptions::ValueError;
use crate::security::Security;

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
    pub(super) fn new(context: &SslContext, server_hostname: Option<&str>) -> Self {
        Self {
            context: Some(context.clone()),
            server_hostname: server_hostname.map(str::to_owned),
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
        let name = server_name(name, context.checks_name())?;
        self.side(Config::Client(Arc::new(context.client_config()?), name))
    }

    /// The security of a server.
    pub(crate) fn server(&self) -> Result<Security> {
        let Some(context) = &self.context else {
            return self.plain();
        };
        let config = context.server_config()?;
        self.side(Config::Server(Arc::new(config)))
    }

    fn side(&self, config: Config) -> Result<Security> {
        let handshake_timeout = self.handshake_timeout.unwrap_or(HANDSHAKE_TIMEOUT);
        let shutdown_timeout = self.shutdown_timeout.unwrap_or(SHUTDOWN_TIMEOUT);
        Ok(Security::of(Side {
            config,
            handshake_timeout: positive("ssl_handshake_timeout", handshake_timeout)?,
            shutdown_timeout: positive("ssl_shutdown_timeout", shutdown_timeout)?,
        }))
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

    /// What a server waits for.
    pub(super) fn greeting(&self) -> Option<Greeting> {
        match &self.config {
            Config::Client(..) => None,
            Config::Server(config) => Greeting::new(config),
        }
    }
}

fn positive(name: &str, seconds: f64) -> Result<f64> {
    match seconds > 0.0 {
        true => Ok(seconds),
        false => {
            let message = format!("{name} should be a positive number, got {seconds}");
            Err(ValueError::new(message).into())
        }
    }
}

/// The name that a client asks for; an empty one asks for nobody.
fn server_name(name: &str, is_checked: bool) -> Result<ServerName<'static>> {
    if name.is_empty() && is_checked {
        return Err(ValueError::new("check_hostname requires server_hostname").into());
    }
    // Numbers are not sent to the server.
    let name = if name.is_empty() { "0.0.0.0" } else { name };
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let message = format!("server_hostname is no name of a server: '{name}'");
        ValueError::new(message).into()
    })
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
        }
        ssl_timeouts!($builder $(<$generic>)?);
    };
}

/// The timeouts of encryption, for a builder with a field `ssl`.
macro_rules! ssl_timeouts {
    ($builder:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
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

use super::{StartTls, StartWriterTls};
use crate::connect_accepted_socket::ConnectAcceptedSocket;
use crate::create_connection::CreateConnection;
use crate::create_server::CreateServer;
use crate::streams::{OpenConnection, StartServer};
ssl_options!(ConnectAcceptedSocket<F>);
ssl_options!(CreateConnection<F>, with_server_hostname);
ssl_options!(OpenConnection, with_server_hostname);
ssl_options!(CreateServer);
ssl_options!(StartServer);
ssl_timeouts!(StartTls);
ssl_timeouts!(StartWriterTls);
