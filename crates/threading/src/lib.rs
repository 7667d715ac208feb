//! Python's `threading` module in Rust.
//!
//! | Python | here |
//! |---|---|
//! | `Thread(target=f, name="W", daemon=True)` | [`Thread::new(f)`](Thread::new)`.with_name("W").with_daemon(true)` |
//! | `Thread(target=f, args=(1, 2))` | [`Thread::with_args(f, (1, 2))`](Thread::with_args) |
//! | `class Worker(Thread): def run(self)` | [`impl Run for Worker`](Run), [`Thread::from_run`] |
//! | `current_thread()`, `main_thread()`, `enumerate()` | [`current_thread`], [`main_thread`], [`enumerate`] |
//! | `Lock()`, `RLock()`, `Condition()` | [`Lock`], [`RLock`], [`Condition`] |
//! | `Semaphore(n)`, `BoundedSemaphore(n)` | [`Semaphore`], [`BoundedSemaphore`] |
//! | `Event()`, `Barrier(n)`, `Timer(s, f)` | [`Event`], [`Barrier`], [`Timer`] |
//! | `local()` | [`Local`] |
//! | `excepthook` | [`set_excepthook`], [`excepthook`](fn@excepthook) |
//!
//! Beyond Python: [`Mutex`] keeps data inside a lock, [`RWLock`] lets readers share it,
//! [`RepeatingTimer`] runs a function again and again, [`Returning`] hands over what a thread
//! returned, and with the feature `deadlock_detection` the module `deadlock` names the threads and
//! locks of a deadlock.
//!
//! A program does not end before its non-daemon threads: see [`Thread`].

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod barrier;
mod call;
mod condition;
#[cfg(feature = "deadlock_detection")]
pub mod deadlock;
mod error;
mod event;
mod excepthook;
mod exit;
mod iterators;
mod local;
mod lock;
mod name;
mod outcome;
mod registry;
mod repeating_timer;
mod repr;
mod returning;
mod rlock;
mod rwlock;
mod semaphore;
mod settings;
mod stack_size;
mod stuck;
mod thread;
mod timer;
mod wheel;

pub use barrier::Barrier;
pub use call::Call;
pub use condition::Condition;
pub use error::{
    BrokenBarrierError, Error, InvalidTimeout, JoinError, OverflowError, RuntimeError, ThreadError,
    ValueError,
};
pub use event::Event;
pub use excepthook::{ExceptHookArgs, Exception, default_excepthook, excepthook, set_excepthook};
pub use exit::{exit, os_exit, register_atexit, shutdown};
#[doc(hidden)]
pub use exit::{finish_copy, register_after_join};
pub use hilos_core::ident::get_native_id;
pub use hilos_core::lock::{Guard, RawLock};
pub use hilos_core::panic::{Panic, Place};
pub use hilos_core::time::{TIMEOUT_MAX, Timeout};
pub use hilos_core::{Mutex, MutexGuard};
pub use iterators::{
    ConcurrentTee, SerializeIterator, concurrent_tee, serialize_iterator, synchronized_iterator,
};
pub use local::Local;
pub use lock::Lock;
pub use outcome::Outcome;
pub use registry::{active_count, current_thread, enumerate, get_ident, main_thread};
pub use repeating_timer::{RepeatingTimer, Stop};
pub use returning::Returning;
pub use rlock::RLock;
pub use rwlock::{RWLock, ReadGuard, WriteGuard};
pub use semaphore::{BoundedSemaphore, Semaphore, SemaphoreGuard};
pub use stack_size::{set_stack_size, stack_size};
pub use thread::{Run, Thread};
pub use timer::Timer;
