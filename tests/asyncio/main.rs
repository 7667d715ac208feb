//! `asyncio`, as CPython's own tests specify it, and in CPython's order.

#![allow(
    clippy::cloned_ref_to_slice_refs,
    clippy::unnecessary_literal_unwrap,
    dropping_copy_types,
    reason = "the programs read as Python's"
)]

mod any_task;
mod as_completed;
mod barriers;
mod base_events;
mod cancel;
mod conditions;
mod context;
mod corners;
mod current_loop;
mod eager;
mod event_loop;
mod exception_handler;
mod fan_out;
mod free_threading;
mod futures;
mod gather;
mod graph;
mod handles;
mod locks;
mod loop_bound;
mod order;
#[cfg(target_os = "linux")]
mod pep492;
mod queue_shutdown;
mod queues;
#[cfg(target_os = "linux")]
mod readers;
mod runners;
mod semaphores;
mod shield;
mod sleep;
mod stack;
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
