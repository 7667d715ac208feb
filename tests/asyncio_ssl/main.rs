#![cfg(feature = "ssl")]
#![cfg(target_os = "linux")]
//! `asyncio`'s encrypted connections, with the feature `ssl`.

mod base_events;
mod certificates;
mod connections;
mod endings;
mod events;
mod handshakes;
mod parties;
#[allow(dead_code, reason = "it is another test's too")]
#[path = "../asyncio_net/sample.rs"]
mod sample;
mod sendfile;
#[allow(dead_code, reason = "it is another test's too")]
#[path = "../asyncio_net/support.rs"]
mod support;
mod upgrades;
