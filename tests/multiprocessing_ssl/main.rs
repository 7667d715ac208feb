#![cfg(feature = "ssl")]
#![cfg(target_os = "linux")]
//! Encrypted connections and managers, with the feature `ssl`.

mod certificates;
mod connections;
mod managers;
#[allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "it is another test's too"
)]
#[path = "../multiprocessing/support.rs"]
mod support;
