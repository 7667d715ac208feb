//! Python's `multiprocessing` module in Rust.
//!
//! | Python | here |
//! |---|---|
//! | `Process(target=f, args=(1,))` | [`Process::new(f, (1,))`](Process::new) |
//! | `current_process()`, `parent_process()` | [`current_process`], [`parent_process`] |
//! | `active_children()`, `cpu_count()` | [`active_children`], [`cpu_count`] |
//! | `set_start_method("spawn")` | [`set_start_method`], [`StartMethod`] |
//! | `get_context("spawn")` | [`get_context(StartMethod::Spawn)`](get_context) |
//! | `Pool(4)`, `ThreadPool(4)` | [`Pool::new(4)`](Pool::new), [`pool::ThreadPool`] |
//! | `Queue()`, `Queue(10)` | [`Queue::new(0)`](Queue::new), `Queue::new(10)` |
//! | `Lock()`, `Semaphore(2)`, … | [`Lock::new()`](Lock::new), [`Semaphore::new(2)`](Semaphore::new), … |
//! | `Value("d", 0.0)`, `Array("i", range(10))` | [`Value::new(0.0)`](Value::new), [`Array::new(0..10)`](Array::new) |
//! | `Manager()` | [`manager()`](managers::manager) |
//! | `SharedMemory(create=True, size=512)` | [`SharedMemory::create(512)`](shared_memory::SharedMemory::create) |

#![deny(unsafe_code)]
#![warn(missing_docs)]
#![cfg(target_os = "linux")]

mod authkey;
#[doc(hidden)]
pub mod capture;
mod children;
pub mod connection;
mod context;
mod cpu;
mod current;
pub mod dummy;
mod error;
mod failure;
mod forkserver;
mod handle;
mod life;
mod logging;
pub mod managers;
mod message;
pub mod pool;
#[allow(unsafe_code, reason = "it forks")]
mod popen;
mod process;
pub mod queues;
mod reduction;
#[doc(hidden)]
pub mod remote;
pub mod resource_tracker;
pub mod shared_memory;
pub mod sharedctypes;
mod spawn;
mod start_method;
pub mod synchronize;
#[allow(
    unsafe_code,
    reason = "memory between processes, forks, and the entry before `main`"
)]
mod sys;
#[allow(
    unsafe_code,
    reason = "it says which function a process was asked to call"
)]
mod target;

pub use authkey::AuthenticationString;
pub use children::active_children;
pub use connection::pipe;
pub use context::{Context, freeze_support, get_context};
pub use cpu::cpu_count;
pub use current::{CurrentProcess, ParentProcess, current_process, parent_process};
pub use error::Error;
pub use failure::{Failure, ProcessFailure};
pub use forkserver::{OnError, set_forkserver_preload};
pub use logging::{LOGGER, log_to_stderr};
#[cfg(feature = "pickle")]
pub use managers::manager;
pub use pool::Pool;
pub use popen::set_executable;
pub use process::Process;
pub use queues::{JoinableQueue, Queue, SimpleQueue};
pub use reduction::DupFd;
pub use sharedctypes::{Array, RawArray, RawValue, Value};
pub use start_method::{StartMethod, get_all_start_methods, get_start_method, set_start_method};
pub use synchronize::{Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore};
pub use target::Target;
