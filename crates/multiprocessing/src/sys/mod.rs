//! What only the system can do. All the `unsafe` of this crate is here.

pub(crate) mod claims;
pub(crate) mod clone_parent;
pub(crate) mod entry;
pub(crate) mod fds;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod image;
pub(crate) mod interrupt;
pub(crate) mod lifeline;
pub(crate) mod mapping;
pub(crate) mod numbers;
pub(crate) mod pidfd;
pub(crate) mod pointer;
pub(crate) mod shared;
pub(crate) mod spawn;
pub(crate) mod zero_sized;
