//! Proxies of objects that CPython's own manager serves.

mod calls;
mod containers;
mod faults;
mod locks;
mod nested;
mod pool;
mod processes;
mod queues;
pub(crate) mod server;
mod sets;
mod silent;
mod threads;
