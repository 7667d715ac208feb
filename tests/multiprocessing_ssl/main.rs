#![cfg(feature = "ssl")]
#![cfg(target_os = "linux")]
//! Encrypted connections and managers, with the feature `ssl`.

#[path = "../asyncio_ssl/certificates.rs"]
mod certificates;
mod connections;
mod managers;
mod parties;
#[allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "it is another test's too"
)]
#[path = "../multiprocessing/support.rs"]
mod support;
