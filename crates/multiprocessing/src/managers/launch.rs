//! A server in a process of its own.

use hilos_core::time::Timeout;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::errand::Errand;
use super::proxy::RemoteManager;
use super::server::Server;
use super::types::{self, Types};
use crate::connection::credentials::Credentials;
use crate::connection::security::Security;
use crate::connection::{Address, Connection, ListenAt, pipe};
use crate::error::Error;
use crate::process::Process;
use crate::start_method::StartMethod;
use crate::sys::interrupt::leave_to_parent;
use crate::target::Target;

/// A process that serves.
pub(super) struct Running {
    process: Process,
    address: Address,
    /// The process that has started it, which alone may end it.
    owner: u32,
    /// Whether the address was made for it.
    own_address: bool,
}

/// What the process says when it listens, or why it does not: the system's number, and a text.
#[derive(Serialize, Deserialize)]
enum Report {
    Listening(Address),
    Failed(Option<i32>, String),
}

/// What the process is told.
#[derive(Serialize, Deserialize)]
struct Orders {
    initializer: Errand,
    address: Option<Address>,
    credentials: Credentials,
    types: Vec<Errand>,
}

/// Starts a process that serves.
pub(super) fn start<F, A>(
    name: &str,
    method: Option<StartMethod>,
    (address, credentials): (Option<Address>, Credentials),
    types: &Types,
    (initializer, args): (F, A),
) -> Result<Running, Error>
where
    F: Target<A>,
    A: Serialize + DeserializeOwned + Send + 'static,
{
    let own_address = address.is_none();
    let orders = Orders {
        initializer: Errand::new(initializer, args)?,
        address,
        credentials,
        types: types.encode()?,
    };
    let (report, theirs) = pipe(false)?;
    // It ends with this process, which waits for those that are no daemons.
    let mut process = Process::new(serve, (orders, theirs.clone())).with_daemon(true);
    process.set_name(process.name().replace("Process", name));
    if let Some(method) = method {
        process = process.with_start_method(method);
    }
    process.start()?;
    theirs.close();
    match report.recv::<Report>() {
        Ok(Report::Listening(address)) => Ok(Running {
            process,
            address,
            owner: std::process::id(),
            own_address,
        }),
        Ok(Report::Failed(Some(number), _)) => {
            Err(std::io::Error::from_raw_os_error(number).into())
        }
        Ok(Report::Failed(None, text)) => Err(Error::Runtime(text)),
        Err(error) => Err(error),
    }
}

/// What the process does.
fn serve(orders: Orders, reports: Connection) -> Result<(), Error> {
    leave_to_parent()?;
    match prepare(orders) {
        Ok(server) => {
            reports.send(&Report::Listening(server.address().clone()))?;
            reports.close();
            server.serve_forever();
            Ok(())
        }
        Err(failed) => reports.send(&failed),
    }
}

fn prepare(orders: Orders) -> Result<Server, Report> {
    let failed = |failure: crate::failure::Failure| Report::Failed(None, failure.to_string());
    orders.initializer.run().map_err(failed)?;
    let types = types::arrive(orders.types).map_err(failed)?;
    let address = ListenAt::from(orders.address);
    let server = Server::new(address, orders.credentials, Security::default(), types);
    server.map_err(|error| match &error {
        Error::Os(reason) => Report::Failed(reason.raw_os_error(), error.to_string()),
        other => Report::Failed(None, other.to_string()),
    })
}

impl Running {
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// Has the process end, in this way or that; at once by force if nothing reaches it.
    pub(super) fn finish(&self, remote: Option<&RemoteManager>, patience: Timeout) {
        if self.owner != std::process::id() {
            return;
        }
        if let (true, Some(remote)) = (self.process.is_alive(), remote) {
            let _ = remote.with_timeout(patience).ask("shutdown");
            let _ = self.process.join(patience);
        }
        if self.process.is_alive() {
            let _ = self.process.terminate();
            let _ = self.process.join(patience);
        }
        if self.process.is_alive() {
            let _ = self.process.kill();
            let _ = self.process.join(None);
        }
        self.clean_up();
    }

    /// Removes the socket that a process has left behind which did not end by itself.
    fn clean_up(&self) {
        if let (true, Address::Unix(path)) = (self.own_address, &self.address) {
            let _ = std::fs::remove_file(path);
            let _ = path.parent().map(std::fs::remove_dir);
        }
    }
}
