//! How an end goes to another process.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Connection, Kind};
use crate::LOGGER;
use crate::connection::reader::Reader;
use crate::reduction::TravellingFd;

/// How an end travels: its kind, what was read ahead with its descriptors, and its own descriptor.
#[derive(Serialize, Deserialize)]
struct Travelling(Kind, Vec<u8>, Vec<TravellingFd>, TravellingFd);

impl Serialize for Connection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        if self.inner.stream.is_encrypted() {
            let text = "an encrypted connection stays with its process";
            return Err(S::Error::custom(text));
        }
        let fd = self.fd().map_err(S::Error::custom)?;
        let copy = TravellingFd(fd.try_clone().map_err(S::Error::custom)?);
        // Whoever receives the end goes on where this process has read to.
        let reader = self.inner.reader.try_lock();
        let busy = || {
            let text = "a connection cannot travel while another thread receives from it";
            // The encoding's errors have no room for it.
            tracing::error!(target: LOGGER, "{text}");
            S::Error::custom(text)
        };
        let (ahead, fds) = reader.ok_or_else(busy)?.take_ahead();
        let fds = fds.into_iter().map(TravellingFd).collect();
        Travelling(self.inner.kind, ahead, fds, copy).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Connection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Travelling(kind, ahead, fds, TravellingFd(fd)) = Travelling::deserialize(deserializer)?;
        let fds = fds.into_iter().map(|TravellingFd(fd)| fd).collect();
        Ok(Self::with_kind(fd, kind, Reader::resume(ahead, fds)))
    }
}
