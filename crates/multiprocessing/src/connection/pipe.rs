//! `multiprocessing.Pipe`.

use nix::sys::socket::SockType;

use super::Connection;
use crate::error::Error;
use crate::sys::fds::socket_pair;

/// Creates two connections, each the other's other end: Python's `Pipe`.
///
/// If `duplex`, both send and receive; otherwise the first receives and the second sends.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Process, connection::{pipe, Connection}};
///
/// fn child(connection: Connection) -> Result<(), multiprocessing::Error> {
///     connection.send(&(42, "hello"))
/// }
///
/// let (ours, theirs) = pipe(true)?;
/// let process = Process::new(child, (theirs,));
/// process.start()?;
/// assert_eq!(ours.recv::<(i32, String)>()?, (42, "hello".to_string()));
/// process.join(None)?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Errors
/// [`Error::Os`] if the system has no descriptors left.
///
/// Mirrors [`multiprocessing.Pipe`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Pipe).
pub fn pipe(duplex: bool) -> Result<(Connection, Connection), Error> {
    // Sockets one way too: the system's pipes pass long messages on in small pieces.
    let (one, other) = socket_pair(SockType::Stream)?;
    Ok(match duplex {
        true => (Connection::socket(one), Connection::socket(other)),
        false => (Connection::receiver(one), Connection::sender(other)),
    })
}
