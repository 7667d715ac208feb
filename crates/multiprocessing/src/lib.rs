//! Python's `multiprocessing` module in Rust.
//!
//! | Python | here |
//! |---|---|
//! | `Process(target=f, args=(1,))` | [`Process::new(f, (1,))`](Process::new) |
//! | `current_process()`, `parent_process()` | [`current_process`], [`parent_process`] |
//! | `active_children()`, `cpu_count()` | [`active_children`], [`cpu_count`] |
//! | `set_start_method("spawn")` | [`set_start_method`], [`StartMethod`] |

#![warn(missing_docs)]
#![cfg(target_os = "linux")]

mod children;
pub mod connection;
mod context;
mod cpu;
mod current;
mod error;
mod failure;
mod forkserver;
mod handle;
mod life;
mod message;
pub mod pool;
mod popen;
mod process;
pub mod queues;
mod reduction;
#[doc(hidden)]
pub mod remote;
pub mod sharedctypes;
mod spawn;
pub mod synchronize;
mod sys;
mod target;

pub use children::active_children;
pub use connection::pipe;
pub use context::{StartMethod, get_all_start_methods, get_start_method, set_start_method};
pub use cpu::cpu_count;
pub use current::{CurrentProcess, ParentProcess, current_process, parent_process};
pub use error::Error;
pub use failure::{Failure, ProcessFailure};
pub use pool::Pool;
pub use popen::set_executable;
pub use process::Process;
pub use queues::{JoinableQueue, Queue, SimpleQueue};
pub use sharedctypes::{Array, RawArray, RawValue, Value};
pub use synchronize::{Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore};
pub use target::Target;
