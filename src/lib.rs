//! Python's concurrency standard library, in Rust.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[doc(inline)]
pub use hilos_core::contextvars;
#[cfg(feature = "threading")]
#[doc(inline)]
pub use hilos_queue as queue;
#[cfg(feature = "threading")]
#[doc(inline)]
pub use hilos_sched as sched;
#[cfg(feature = "threading")]
#[doc(inline)]
pub use hilos_threading as threading;
