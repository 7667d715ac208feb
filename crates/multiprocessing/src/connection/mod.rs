//! `multiprocessing.connection`: messages between processes.

mod address;
mod authentication;
pub(crate) mod credentials;
pub(crate) mod endpoint;
mod listener;
#[cfg(feature = "pickle")]
mod objects;
mod pipe;
mod reader;
pub(crate) mod security;
#[cfg(feature = "ssl")]
mod tls;
mod wait;

pub use address::{Address, Family};
pub use authentication::{answer_challenge, deliver_challenge};
pub use endpoint::Connection;
#[cfg(feature = "ssl")]
pub use listener::client_with_ssl;
pub use listener::{ListenAt, Listener, client, client_without_md5};
#[cfg(feature = "pickle")]
pub(crate) use listener::{client_until, send_until};
pub use pipe::pipe;
pub use wait::{Handle, Waitable, wait};
