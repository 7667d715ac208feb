//! `Queue`, `SimpleQueue` and `JoinableQueue`.

mod closing;
mod exchange;
mod items;
mod memory;
