//! Python's concurrency standard library, in Rust, with CPython's semantics.
//!
//! The modules mirror Python's own: what is `import threading` there is `use hilos::threading;`
//! here, and each name is where Python has it.
//!
//! | Python | here | |
//! |---|---|---|
//! | `import threading` | [`threading`] | threads, locks, timers |
//! | `import queue` | [`queue`] | queues between threads |
//! | `from concurrent import futures` | [`concurrent::futures`] | results that come later, pools of threads |
//! | `import sched` | [`sched`] | timed functions in one thread |
//! | `import contextvars` | [`contextvars`] | variables that follow the flow of control |
//! | `import asyncio` | [`asyncio`] | coroutines, tasks, the event loop |
//! | `import pickle` | [`pickle`] | Python's serialization, as data |
//! | `import multiprocessing` | `multiprocessing`, on Linux | processes, pipes, pools |
//!
//! With the feature `cluster`, `cluster` has the pool and the executor with workers on many machines.
//!
//! ```
//! use hilos::threading::{self, Thread};
//!
//! let t = Thread::new(|| println!("hello from {}", threading::current_thread().name()));
//! t.start()?;
//! t.join(None)?;
//! # Ok::<(), threading::Error>(())
//! ```
//!
//! The rules of the translation are the same everywhere: a keyword argument becomes `with_…`,
//! seconds are `None`, `2`, `0.5` or a `Duration`, an exception is an error type of the same name
//! with Python's message, `Display` prints Python's `repr`, and `with x:` is
//! `let _held = x.lock();`.
//!
//! Not here: what traces or configures Python's interpreter, and deprecated aliases.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// Python's package `concurrent`.
#[cfg(feature = "futures")]
pub mod concurrent {
    #[doc(inline)]
    pub use hilos_futures as futures;
}

#[cfg(feature = "asyncio")]
#[doc(inline)]
pub use hilos_asyncio as asyncio;
#[cfg(all(feature = "cluster", target_os = "linux"))]
#[doc(inline)]
pub use hilos_cluster as cluster;
#[doc(inline)]
pub use hilos_core::contextvars;
#[cfg(all(feature = "multiprocessing", target_os = "linux"))]
#[doc(inline)]
pub use hilos_multiprocessing as multiprocessing;
#[cfg(feature = "pickle")]
#[doc(inline)]
pub use hilos_pickle as pickle;
#[cfg(feature = "threading")]
#[doc(inline)]
pub use hilos_queue as queue;
#[cfg(feature = "threading")]
#[doc(inline)]
pub use hilos_sched as sched;
#[cfg(feature = "ssl")]
#[doc(inline)]
pub use hilos_ssl as ssl;
#[cfg(feature = "threading")]
#[doc(inline)]
pub use hilos_threading as threading;

/// The programs of the README, so that they are compiled.
#[cfg(all(
    doctest,
    feature = "futures",
    feature = "multiprocessing",
    target_os = "linux"
))]
#[doc = include_str!("../README.md")]
struct Readme;
