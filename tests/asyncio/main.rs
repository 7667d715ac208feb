//! `asyncio`, as CPython's own tests specify it, and in CPython's order.

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
