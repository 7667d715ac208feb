//! `asyncio`, as CPython's own tests specify it, and in CPython's order.

#![allow(
    clippy::cloned_ref_to_slice_refs,
    clippy::unnecessary_literal_unwrap,
    dropping_copy_types,
    reason = "the programs read as Python's"
)]

mod as_completed;
mod base_events;
mod cancel;
mod context;
mod corners;
mod eager;
mod event_loop;
mod futures;
mod gather;
mod graph;
mod handles;
mod order;
#[cfg(target_os = "linux")]
mod readers;
mod runners;
mod shield;
mod sleep;
mod staggered;
mod support;
mod taskgroups;
mod tasks;
mod testing;
mod thread_loop;
mod threads;
mod timeouts;
#[cfg(target_os = "linux")]
mod tools;
mod traps;
mod wait;
mod wait_for;
