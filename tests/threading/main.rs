//! The locks of `threading`, as CPython's `lock_tests.py` specifies them.

mod barrier;
mod base_lock;
mod condition;
mod event;
mod iterators;
mod lock;
mod rlock;
mod rwlock;
mod semaphore;
mod support;
mod timeouts;
