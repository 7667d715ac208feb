//! `asyncio.streams`: connections for coroutines.

mod buffer;
mod errors;
mod flow;
mod open;
mod protocol;
mod reader;
mod separators;
mod serve;
mod writer;

pub use errors::{IncompleteReadError, LimitOverrunError};
pub(crate) use flow::FlowControl;
pub use open::{OpenConnection, open_connection, open_connection_over, open_unix_connection};
pub use protocol::StreamReaderProtocol;
pub use reader::StreamReader;
pub(crate) use reader::checked_limit;
pub use separators::Separators;
pub use serve::{
    StartServer, start_server, start_server_on, start_unix_server, start_unix_server_on,
};
pub use writer::StreamWriter;

/// How much a reader holds before it asks its transport to pause, in half.
pub(crate) const DEFAULT_LIMIT: usize = 64 * 1024;
