//! Exceptions that pass through code which knows none, such as a barrier or a heap.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::exception::Exception;

/// Unwinds with an exception, which is no panic: nothing is printed.
pub(super) fn throw(exception: Exception) -> ! {
    resume_unwind(Box::new(exception))
}

/// Calls `f`; an exception that was [thrown](throw) in it is its error.
pub(super) fn catching<R>(f: impl FnOnce() -> Result<R, Exception>) -> Result<R, Exception> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => result,
        Err(payload) => match payload.downcast() {
            Ok(exception) => Err(*exception),
            Err(panic) => resume_unwind(panic),
        },
    }
}
