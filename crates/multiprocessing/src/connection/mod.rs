//! `multiprocessing.connection`: messages between processes.

pub(crate) mod endpoint;
mod pipe;
mod reader;
mod wait;

pub use endpoint::Connection;
pub use pipe::pipe;
pub use wait::{Handle, Waitable, wait};
