//! What is shared for as long as a manager lives: Python's `multiprocessing.managers`.

mod shared_memory;

pub use shared_memory::SharedMemoryManager;
