//! hilos and CPython at the two ends of a connection: the oldest and the newest Python of this machine.

#![cfg(target_os = "linux")]

mod addresses;
mod bad_input;
mod compare;
mod connection;
mod cpython_tests;
mod examples;
mod faults;
mod killed;
mod md5;
mod network;
mod objects;
#[allow(dead_code, reason = "it is another test's too")]
#[path = "../multiprocessing/program.rs"]
mod program;
#[allow(dead_code, reason = "it is another test's too")]
#[path = "../multiprocessing/python.rs"]
mod python;
#[allow(dead_code, reason = "it is another test's too")]
#[path = "../multiprocessing/serving.rs"]
mod serving;
mod small_requests;
#[allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "it is another test's too"
)]
#[path = "../multiprocessing/support.rs"]
mod support;
