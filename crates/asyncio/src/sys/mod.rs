//! The unsafe code: a task's waker, and the coroutine that stays where it is.

pub(crate) mod coroutine;
pub(crate) mod waker;
