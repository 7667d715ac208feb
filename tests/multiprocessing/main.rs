//! `multiprocessing`, as CPython's `_test_multiprocessing.py` specifies it.

#![cfg(target_os = "linux")]

mod connection;
mod faults;
mod pool;
mod process;
mod program;
mod python;
mod resource_tracker;
mod shared_memory;
mod start_method;
mod support;
mod wait;
