//! `threading.stack_size`.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::ValueError;

/// The least stack that Python accepts.
const MINIMUM: usize = 32 * 1024;

static SIZE: AtomicUsize = AtomicUsize::new(0);

/// The size in bytes of the stacks of threads to come; 0 is the standard library's default.
///
/// Mirrors [`threading.stack_size`](https://docs.python.org/3.14/library/threading.html#threading.stack_size).
pub fn stack_size() -> usize {
    SIZE.load(Ordering::Relaxed)
}

/// Sets the size in bytes of the stacks of threads to come, and returns the one before.
///
/// ```
/// use hilos_threading as threading;
///
/// assert_eq!(threading::set_stack_size(256 * 1024)?, 0);
/// assert_eq!(threading::set_stack_size(0)?, 256 * 1024);
/// assert_eq!(threading::set_stack_size(1).unwrap_err().to_string(), "size not valid: 1 bytes");
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Errors
/// [`ValueError`] if `size` is neither 0 nor at least 32 KiB.
pub fn set_stack_size(size: usize) -> Result<usize, ValueError> {
    match size {
        0 | MINIMUM.. => Ok(SIZE.swap(size, Ordering::Relaxed)),
        _ => Err(ValueError::StackSize(size)),
    }
}
