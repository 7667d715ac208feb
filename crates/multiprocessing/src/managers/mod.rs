//! What is shared for as long as a manager lives: Python's `multiprocessing.managers`.

#[cfg(feature = "pickle")]
mod args;
#[cfg(feature = "pickle")]
mod arithmetic;
#[cfg(feature = "pickle")]
mod base;
#[cfg(feature = "pickle")]
mod builtins;
#[cfg(feature = "pickle")]
mod callable;
#[cfg(feature = "pickle")]
mod change;
#[cfg(feature = "pickle")]
mod collecting;
#[cfg(feature = "pickle")]
mod errand;
#[cfg(feature = "pickle")]
mod exception;
#[cfg(feature = "pickle")]
mod graph;
#[cfg(feature = "pickle")]
mod keys;
#[cfg(feature = "pickle")]
mod launch;
#[cfg(feature = "pickle")]
pub(crate) mod message;
#[cfg(feature = "pickle")]
mod numbers;
#[cfg(feature = "pickle")]
mod proxy;
#[cfg(feature = "pickle")]
mod referent;
#[cfg(feature = "pickle")]
mod referents;
#[cfg(feature = "pickle")]
mod registry;
#[cfg(feature = "pickle")]
mod server;
mod shared_memory;
#[cfg(feature = "pickle")]
mod sync;
#[cfg(feature = "pickle")]
mod text;
#[cfg(feature = "pickle")]
mod thrown;
#[cfg(feature = "pickle")]
pub(crate) mod token;
#[cfg(feature = "pickle")]
mod types;

#[cfg(feature = "pickle")]
pub use args::Args;
#[cfg(feature = "pickle")]
pub use base::BaseManager;
#[cfg(feature = "pickle")]
pub use callable::Callable;
#[cfg(feature = "pickle")]
pub use exception::Exception;
#[cfg(feature = "pickle")]
pub(crate) use proxy::release_all;
#[cfg(feature = "pickle")]
pub use proxy::*;
#[cfg(feature = "pickle")]
pub use referent::{Answer, Referent};
#[cfg(feature = "pickle")]
pub use referents::{Array, Namespace, PythonIterator, Ranked, Value};
#[cfg(feature = "pickle")]
pub use server::Server;
pub use shared_memory::SharedMemoryManager;
#[cfg(feature = "pickle")]
pub use sync::{SyncManager, manager};
#[cfg(feature = "pickle")]
pub use token::Token;
