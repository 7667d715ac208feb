//! `multiprocessing`, as CPython's `_test_multiprocessing.py` specifies it.

#![cfg(target_os = "linux")]

mod connection;
mod faults;
mod pool;
mod process;
mod program;
mod python;
mod resource_tracker;
mod shareable_list;
mod shareable_list_vectors;
mod shared_memory;
mod shared_memory_manager;
mod start_method;
mod support;
mod wait;
