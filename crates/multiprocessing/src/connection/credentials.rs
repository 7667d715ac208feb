//! What one side of a connection shows of itself: that it knows a key, and how.

use hilos_core::time::Deadline;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Connection;
use super::authentication::{answer, deliver};
use crate::authkey::AuthenticationString;
use crate::error::Error;

/// Whether a side may prove by MD5 that it knows the key, as CPython before 3.12 only can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Md5 {
    #[default]
    Allowed,
    Refused,
}

/// The key of a connection, without which nothing is proven, and how it may be.
///
/// It travels to processes that this one has started, and to no other.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Credentials {
    #[serde(serialize_with = "tell", deserialize_with = "hear")]
    authkey: Option<AuthenticationString>,
    md5: Md5,
}

impl Credentials {
    pub(crate) fn new(authkey: &[u8]) -> Self {
        Some(authkey).into()
    }

    /// The same, where MD5 is refused.
    pub(crate) fn without_md5(self) -> Self {
        let md5 = Md5::Refused;
        Self { md5, ..self }
    }

    pub(crate) fn set_authkey(&mut self, authkey: &[u8]) {
        self.authkey = Some(authkey.into());
    }

    pub(crate) fn set_md5(&mut self, allowed: bool) {
        self.md5 = match allowed {
            true => Md5::Allowed,
            false => Md5::Refused,
        };
    }

    /// Has a caller prove that it knows the key, and then proves it to the caller.
    pub(crate) fn accept(&self, connection: &Connection, until: Deadline) -> Result<(), Error> {
        let Some(authkey) = &self.authkey else {
            return Ok(());
        };
        deliver(connection, authkey, self.md5, until)?;
        answer(connection, authkey, self.md5, until)
    }

    /// The caller's part.
    pub(crate) fn connect(&self, connection: &Connection, until: Deadline) -> Result<(), Error> {
        let Some(authkey) = &self.authkey else {
            return Ok(());
        };
        answer(connection, authkey, self.md5, until)?;
        deliver(connection, authkey, self.md5, until)
    }
}

impl From<Option<&[u8]>> for Credentials {
    fn from(authkey: Option<&[u8]>) -> Self {
        let authkey = authkey.map(AuthenticationString::from);
        let md5 = Md5::Allowed;
        Self { authkey, md5 }
    }
}

fn tell<S: Serializer>(key: &Option<AuthenticationString>, to: S) -> Result<S::Ok, S::Error> {
    key.as_deref().serialize(to)
}

fn hear<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AuthenticationString>, D::Error> {
    let key = Option::<Vec<u8>>::deserialize(from)?;
    Ok(key.map(AuthenticationString::new))
}
