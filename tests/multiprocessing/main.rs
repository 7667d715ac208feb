//! `multiprocessing`, as CPython's `_test_multiprocessing.py` specifies it.

#![cfg(target_os = "linux")]

mod authkey;
mod barrier;
mod condition;
mod connection;
mod context;
mod dummy;
mod faults;
mod listener;
mod listener_threads;
mod lock_faults;
mod locks;
mod logging;
mod managers_proxies;
mod managers_server;
mod misc;
mod mutations;
mod pool;
mod process;
mod program;
#[allow(dead_code, reason = "it is another test's too")]
mod python;
mod queues;
mod resource_tracker;
#[allow(dead_code, reason = "it is another test's too")]
mod serving;
mod shareable_list;
mod shareable_list_vectors;
mod shared_memory;
mod shared_memory_manager;
mod start_method;
mod support;
mod values;
mod wait;
mod wake_ups;
