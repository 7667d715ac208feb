//! The worker's side of a pool.

use serde::{Deserialize, Serialize};

use super::context::{forget, remember};
use super::request::{FAILED, FORGET, OK, READY, REMEMBER, frame, unframe};
use crate::connection::Connection;
use crate::error::Error;
use crate::failure::Failure;
use crate::reduction::{Message, TravellingFd, dumps};
use crate::sys::claims::Claims;
use crate::sys::image::Descriptor;
use crate::sys::interrupt::leave_to_parent;

/// What a worker is told when it starts.
#[derive(Serialize, Deserialize)]
pub(super) struct Orders {
    /// The descriptor of the [`Claims`].
    pub(super) claims: TravellingFd,
    pub(super) initializer: Option<Encoded>,
    /// Above this much memory, in KiB, the worker ends after the task that it is at.
    pub(super) max_memory: Option<u64>,
}

/// A function with its arguments, encoded once for many workers.
#[derive(Serialize, Deserialize)]
pub(super) struct Encoded {
    pub(super) function: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) fds: Vec<TravellingFd>,
}

/// What a worker's process does: one task after the other, until the pool hangs up.
pub(super) fn work(connection: Connection, orders: Orders) -> Result<(), Error> {
    leave_to_parent()?;
    let claims = Claims::open(&orders.claims.0)?;
    let initializer = orders.initializer;
    let initialized = initializer.map_or(Ok(Message::default()), initialize);
    let failed = initialized.is_err();
    reply(&connection, READY, initialized)?;
    if failed {
        return Ok(());
    }
    while let Ok(Message { bytes, fds }) =
        connection.recv_message(hilos_core::time::Deadline::NEVER)
    {
        let Some((number, other, bytes)) = unframe(bytes) else {
            break;
        };
        let message = Message { bytes, fds };
        match number {
            REMEMBER => remember(other, message),
            FORGET => forget(other),
            number if claims.begin(number) => reply(&connection, number, run(other, message))?,
            // It was taken back.
            _ => {}
        }
        if orders.max_memory.is_some_and(|limit| memory() > limit) {
            break;
        }
    }
    Ok(())
}

fn initialize(initializer: Encoded) -> Result<Message, Failure> {
    let fds = initializer.fds.into_iter().map(|TravellingFd(fd)| fd);
    let args = Message {
        bytes: initializer.bytes,
        fds: fds.collect(),
    };
    run(initializer.function as u64, args)
}

fn run(function: u64, args: Message) -> Result<Message, Failure> {
    let descriptor = usize::try_from(function)
        .ok()
        .and_then(Descriptor::at_offset);
    match descriptor {
        Some(descriptor) => (descriptor.call)(args),
        None => Err(Failure::new(
            "RuntimeError",
            "the function belongs to another build",
        )),
    }
}

fn reply(
    connection: &Connection,
    number: u64,
    result: Result<Message, Failure>,
) -> Result<(), Error> {
    let (kind, message) = match result {
        Ok(message) => (OK, message),
        Err(failure) => (FAILED, dumps(&failure)?),
    };
    connection.send_message(&Message {
        bytes: frame(number, kind, &message.bytes),
        fds: message.fds,
    })
}

/// How much memory this process has, in KiB.
fn memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<u64>().ok());
    resident.unwrap_or(0) * 4
}
