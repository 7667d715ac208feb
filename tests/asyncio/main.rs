//! `asyncio`, as CPython's own tests specify it, and in CPython's order.

#![allow(
    clippy::cloned_ref_to_slice_refs,
    clippy::unnecessary_literal_unwrap,
    dropping_copy_types,
    reason = "the programs read as Python's"
)]

mod as_completed;
mod cancel;
mod context;
mod eager;
mod event_loop;
mod futures;
mod gather;
mod order;
mod runners;
mod shield;
mod sleep;
mod support;
mod taskgroups;
mod tasks;
mod threads;
mod timeouts;
mod traps;
mod wait;
mod wait_for;
