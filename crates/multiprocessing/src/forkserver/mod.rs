//! A small process that makes processes.
//!
//! It is this program, started once more and stopped before `main`: one thread, little memory. For
//! each request it forks, and the new process is the child of the process that asked. That one asks
//! ahead: a process that does nothing yet waits for the next order.

mod client;
mod preload;
#[allow(unsafe_code, reason = "it clones itself")]
mod server;

pub(crate) use client::{forget, start};
pub use preload::{OnError, set_forkserver_preload};
pub(crate) use server::serve;
