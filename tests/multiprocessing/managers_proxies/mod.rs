//! Proxies of objects that CPython's own manager serves.

mod calls;
mod server;
