//! Objects that live in the process of a manager, and their proxies here.

mod answer;
mod arguments;
mod error;
mod exception;
mod link;
mod nested;
mod reference;
mod remote;
mod server;
mod travel;
mod untyped;

pub use error::RemoteError;
pub use exception::Exception;
pub use remote::RemoteManager;
pub use untyped::{Proxy, Reply};
