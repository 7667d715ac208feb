//! `hilos::sched`, as CPython's test_sched.py tests it and beyond.

#![cfg(feature = "threading")]

mod beyond;
mod concurrent;
mod scheduler;
mod support;
