//! `hilos::concurrent::futures`, as CPython's test_concurrent_futures tests it and beyond.
//!
//! What holds for every executor is written once, for a [`Backend`](backend::Backend), and
//! instantiated by `for_each_backend!`.

#![cfg(feature = "futures")]

mod backend;
mod hook;
mod program;

mod as_completed;
mod awaiting;
mod executor;
mod future;
mod init;
#[cfg(target_os = "linux")]
mod process_faults;
#[cfg(target_os = "linux")]
mod process_pool;
mod shutdown;
mod thread_pool;
mod wait;
