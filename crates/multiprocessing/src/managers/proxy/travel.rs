//! Proxies on their way to another process of the program.

use hilos_core::time::Timeout;
use hilos_pickle::{Global, Object};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::RemoteError;
use super::server::Server;
use super::untyped::Proxy;
use crate::LOGGER;
use crate::connection::Address;
use crate::connection::credentials::Credentials;
use crate::connection::security::Security;
use crate::managers::token::{Token, Travelling};
use crate::reduction::is_public;

/// A proxy in the encoding of this crate's own queues and connections.
#[derive(Serialize, Deserialize)]
struct Luggage {
    typeid: String,
    address: Address,
    id: String,
    class: (String, String),
    exposed: Option<Vec<String>>,
    /// `None` if the key is that of the process, which its children have as well, or if strangers
    /// could read it.
    credentials: Option<Credentials>,
    encrypted: bool,
    patience: Option<f64>,
}

impl Luggage {
    fn pack(proxy: &Proxy) -> Self {
        let Travelling {
            class,
            token,
            exposed,
        } = proxy.description().clone();
        let credentials = proxy.server().credentials();
        let own = Credentials::new(&crate::current::authkey());
        let told = !is_public() && *credentials != own;
        Self {
            typeid: token.typeid,
            address: token.address,
            id: token.id,
            class: (class.module().to_string(), class.name().to_string()),
            exposed,
            credentials: told.then(|| credentials.clone()),
            encrypted: proxy.server().is_encrypted(),
            patience: proxy.patience().seconds(),
        }
    }

    fn unpack(self) -> Result<Proxy, RemoteError> {
        let address = self.address.clone();
        let server = match self.credentials {
            _ if self.encrypted => Server::encrypted(&address)?,
            Some(credentials) => Server::new(address, credentials, Security::default()),
            None => Server::heard_of(address),
        };
        let description = Travelling {
            class: Global::new(self.class.0, self.class.1),
            token: Token::new(self.typeid, self.address, self.id),
            exposed: self.exposed,
        };
        let patience = self.patience.map_or(Timeout::NEVER, Timeout::from);
        Proxy::heard_of(server, description, patience)
    }
}

/// In a pickle as CPython has it.
impl Serialize for Proxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => self.to_object().serialize(serializer),
            false => Luggage::pack(self).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => Self::from_object(&Object::deserialize(deserializer)?),
            false => Luggage::deserialize(deserializer)?.unpack(),
        }
        .map_err(|error| {
            // The encoding's errors have no room for it.
            tracing::error!(target: LOGGER, "a proxy does not work here: {error}");
            D::Error::custom(error)
        })
    }
}
