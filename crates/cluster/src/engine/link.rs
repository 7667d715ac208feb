//! A connection to a server that is made again when it is lost.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::{Client, Connection, ErrorKind, RedisError, ServerErrorKind};

use super::Fault;
use crate::error::Error;

/// The shortest and the longest time between two attempts to connect.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// How long a server may take for a reply, beyond what it was asked to wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a server is, and by whose name to connect; prints no secrets.
#[derive(Clone)]
pub(crate) struct Server {
    client: Client,
    shown: String,
}

impl Server {
    /// A server by its URL.
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        let shown = redact(url);
        let client = Client::open(url).map_err(|error| {
            Error::Url(format!(
                "{shown}: {}",
                error.detail().unwrap_or("not a URL")
            ))
        })?;
        Ok(Self { client, shown })
    }

    /// An error's text, which does not repeat what the URL hides.
    fn tell(&self, error: &RedisError) -> String {
        format!("{}: {error}", self.shown)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A URL without its password and its options, which may be one; also of what is no URL.
fn redact(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    // A password may contain any character, although it should be escaped.
    if options.contains('@') {
        return format!("{scheme}://***");
    }
    match place.rsplit_once('@') {
        None => format!("{scheme}://{place}"),
        Some((login, host)) => {
            let user = login.split_once(':').map_or("", |(user, _)| user);
            format!("{scheme}://{user}:***@{host}")
        }
    }
}

/// A connection, or the wish for one.
pub(super) struct Link {
    server: Server,
    connection: Option<Connection>,
    /// When it was tried last to connect, and how long the pause before that was.
    tried: Option<Instant>,
    pause: Duration,
}

impl Link {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            connection: None,
            tried: None,
            pause: Duration::ZERO,
        }
    }

    pub(super) fn connect(&mut self, patient: &dyn Fn() -> bool) -> Result<(), Error> {
        while self.connection.is_none() {
            self.rest();
            match self.attempt() {
                Ok(connection) => self.connection = Some(connection),
                Err(Fault::Refused(reason)) => return Err(Error::Server(reason)),
                Err(Fault::Lost(reason)) if !patient() => return Err(Error::Server(reason)),
                Err(Fault::Lost(reason)) => tracing::info!(reason, "not connected"),
            }
        }
        Ok(())
    }

    /// Pauses before another attempt, longer each time: also if there was a connection, unless it
    /// lasted. A server may let everybody in and refuse what they want.
    fn rest(&mut self) {
        if let Some(tried) = self.tried {
            let lasted = tried.elapsed() > BACK_OFF.1;
            let longer = (self.pause * 2).clamp(BACK_OFF.0, BACK_OFF.1);
            self.pause = if lasted { BACK_OFF.0 } else { longer };
            sleep(self.pause);
        }
        self.tried = Some(Instant::now());
    }

    fn attempt(&self) -> Result<Connection, Fault> {
        let connect = || -> Result<Connection, RedisError> {
            let mut connection = self.server.client.get_connection_with_timeout(PATIENCE)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            connection.set_write_timeout(Some(PATIENCE))?;
            // A server that loads its data accepts connections, and refuses everything else.
            redis::cmd("EXISTS")
                .arg("hilos")
                .exec(&mut connection)
                .or_else(permitted)?;
            Ok(connection)
        };
        connect().map_err(|error| self.fault(&error))
    }

    /// Runs a command; after a failure that may pass, the connection is given up.
    pub(super) fn run<T>(
        &mut self,
        command: impl FnOnce(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, Fault> {
        let Some(connection) = &mut self.connection else {
            return Err(Fault::Lost(format!("{}: not connected", self.server)));
        };
        command(connection).map_err(|error| {
            let fault = self.fault(&error);
            if matches!(fault, Fault::Lost(_)) {
                self.connection = None;
            }
            fault
        })
    }

    fn fault(&self, error: &RedisError) -> Fault {
        let reason = self.server.tell(error);
        match passes(error) {
            true => Fault::Lost(reason),
            false => Fault::Refused(reason),
        }
    }
}

/// A user who may not look at this key may connect all the same.
fn permitted(error: RedisError) -> Result<(), RedisError> {
    match error.code() {
        Some("NOPERM") => Ok(()),
        _ => Err(error),
    }
}

/// Whether it is worth another attempt: the network, and a server that starts, is full or a replica
/// for the moment.
fn passes(error: &RedisError) -> bool {
    let temporary = [
        "LOADING",
        "OOM",
        "READONLY",
        "MASTERDOWN",
        "TRYAGAIN",
        "MISCONF",
        "BUSY",
        "UNBLOCKED",
    ];
    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse => !is_disbelief(error),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => true,
        _ => error.code().is_some_and(|code| temporary.contains(&code)),
    }
}

/// Whether encryption found something that will be there again: a certificate that is not believed.
fn is_disbelief(error: &RedisError) -> bool {
    let source = error.source();
    let shared = source.and_then(|source| source.downcast_ref::<Arc<dyn StdError + Send + Sync>>());
    let io = shared.and_then(|shared| shared.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn secrets_are_hidden() {
        for (url, shown) in [
            ("redis://host/0", "redis://host/0"),
            ("rediss://:secret@host:6380/1", "rediss://:***@host:6380/1"),
            ("redis://user:secret@host", "redis://user:***@host"),
            ("redis://user:se@cr/et@host", "redis://user:***@host"),
            ("redis://user:se@cr/e?t@host", "redis://***"),
            ("unix:///run/redis?pass=se@cret", "unix://***"),
            ("user:secret@host", "://user:***@host"),
            ("redis://host/?password=secret", "redis://host/"),
        ] {
            assert_eq!(redact(url), shown);
        }
    }
}
