//! What is asked for in vain: Python's error each, by its type and its words.

mod addresses;
mod datagrams;
mod sockets;
mod streams;
mod subprocesses;

use hilos::asyncio::{DatagramProtocol, Protocol, Result, StreamReader, StreamWriter};

use crate::support::fails;

struct Nothing;
impl Protocol for Nothing {}
impl DatagramProtocol for Nothing {}

async fn ignore(_: StreamReader, _: StreamWriter) -> Result<()> {
    Ok(())
}

const NONE: [&str; 0] = [];

/// Checks the type and the words of what a call failed with.
#[track_caller]
fn refused<T>(result: Result<T>, type_name: &str, message: &str) {
    assert_eq!(fails(result.map(drop), type_name), message);
}
