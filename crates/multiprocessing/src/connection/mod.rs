//! `multiprocessing.connection`: messages between processes.

mod address;
mod authentication;
mod client;
pub(crate) mod credentials;
pub(crate) mod endpoint;
mod listener;
#[cfg(feature = "pickle")]
mod objects;
mod pipe;
mod reader;
pub(crate) mod security;
mod socket;
#[cfg(feature = "ssl")]
mod tls;
mod wait;

pub use address::{Address, Family};
pub use authentication::{answer_challenge, deliver_challenge};
#[cfg(feature = "ssl")]
pub use client::client_with_ssl;
pub use client::{client, client_without_md5};
#[cfg(feature = "pickle")]
pub(crate) use client::{client_until, send_until};
pub use endpoint::Connection;
pub use listener::{ListenAt, Listener};
pub use pipe::pipe;
pub use wait::{Handle, Waitable, wait};
