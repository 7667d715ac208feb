//! What the hilos crates share and no Python module has a name for.
//!
//! Programs use the `hilos` facade; this crate is its foundation:
//!
//! - [`time`]: Python's timeouts (`None`, `2`, `0.5`) and the deadlines they become.
//! - [`park`]: a thread waits on a word of memory until another wakes it.
//! - [`raw_lock`]: the one-word lock that can tell a wrong release, and [`Mutex`] around data.
//! - [`lock`]: what every lock of Python's can do, for the types that are built over any of them.
//! - [`sync`]: the primitives that a model checker may replace.
//! - [`ident`]: who the current thread is.
//! - [`panic`](mod@panic): panics caught with their message, place and backtrace.
//! - [`process`]: what happens to the whole process: its exit and its forks.
//! - [`contextvars`]: Python's context variables.
//! - [`lazy_context`]: contexts that are made when somebody asks for them, for the tasks of a loop.
//! - [`deadlock`]: who waits for whom, with the feature `deadlock_detection`.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod contextvars;
pub mod deadlock;
pub mod ident;
/// Contexts that are made when somebody asks for them.
pub mod lazy_context {
    pub use crate::contextvars::lazy::{Ask, Asking, LazyContext, asking};
}
pub mod lock;
pub mod panic;
#[allow(unsafe_code, reason = "it parks by the addresses of words")]
pub mod park;
#[allow(unsafe_code, reason = "hooks of the C library")]
pub mod process;
#[allow(unsafe_code, reason = "the promises of a lock")]
pub mod raw_lock;
pub mod sync;
pub mod time;

pub use raw_lock::{Mutex, MutexGuard};
