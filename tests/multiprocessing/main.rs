//! `multiprocessing`, as CPython's `_test_multiprocessing.py` specifies it.

#![cfg(target_os = "linux")]

mod barrier;
mod condition;
mod connection;
mod faults;
mod lock_faults;
mod locks;
mod pool;
mod process;
mod queues;
mod start_method;
mod support;
mod values;
mod wait;
