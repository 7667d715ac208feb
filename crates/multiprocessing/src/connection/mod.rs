//! `multiprocessing.connection`: messages between processes.

mod address;
mod authentication;
pub(crate) mod endpoint;
mod listener;
mod pipe;
mod reader;
mod wait;

pub use address::{Address, Family};
pub use authentication::{answer_challenge, deliver_challenge};
pub use endpoint::Connection;
pub use listener::{ListenAt, Listener, client};
#[cfg(feature = "pickle")]
pub(crate) use listener::{client_until, send_until};
pub use pipe::pipe;
pub use wait::{Handle, Waitable, wait};
