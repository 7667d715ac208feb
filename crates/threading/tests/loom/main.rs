//! Models of the locks, which loom explores in every order; a file for each.
//!
//! Run: RUSTFLAGS="--cfg loom" cargo test --release --package hilos-threading --test loom

#![cfg(loom)]

mod barrier;
mod condition;
mod event;
mod lock;
mod rlock;
mod semaphore;

use std::rc::Rc;

use loom::thread::{self, JoinHandle};

/// A timeout in seconds that only `expire_timeouts` lets pass.
const LATER: u32 = 1_000_000;

/// A model's threads take turns in one thread of the system, so they can share an `Rc`.
fn spawn<T: 'static, R: 'static>(shared: &Rc<T>, body: fn(&T) -> R) -> JoinHandle<R> {
    let shared = shared.clone();
    thread::spawn(move || body(&shared))
}
