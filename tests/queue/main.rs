//! `hilos::queue`, as CPython's test_queue.py tests it and beyond.

#![cfg(feature = "threading")]

mod base;
mod errors;
mod failing;
mod items;
mod iteration;
mod shutdown;
mod simple;
mod support;
mod waiting;
