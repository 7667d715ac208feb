//! What is shared for as long as a manager lives: Python's `multiprocessing.managers`.

#[cfg(feature = "pickle")]
pub(crate) mod message;
#[cfg(feature = "pickle")]
mod proxy;
mod shared_memory;
#[cfg(feature = "pickle")]
pub(crate) mod token;

#[cfg(feature = "pickle")]
pub use proxy::*;
pub use shared_memory::SharedMemoryManager;
#[cfg(feature = "pickle")]
pub use token::Token;
