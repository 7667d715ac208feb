//! What is shared for as long as a manager lives: Python's `multiprocessing.managers`.

#[cfg(feature = "pickle")]
pub(crate) mod message;
mod shared_memory;
#[cfg(feature = "pickle")]
pub(crate) mod token;

pub use shared_memory::SharedMemoryManager;
#[cfg(feature = "pickle")]
pub use token::Token;
