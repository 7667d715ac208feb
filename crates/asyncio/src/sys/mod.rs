//! The unsafe code: a task's waker, and the coroutine that stays where it is.

pub(crate) mod coroutine;
#[cfg(target_os = "linux")]
pub(crate) mod getnameinfo;
#[cfg(target_os = "linux")]
pub(crate) mod pidfd;
#[cfg(target_os = "linux")]
pub(crate) mod signals;
pub(crate) mod waker;
