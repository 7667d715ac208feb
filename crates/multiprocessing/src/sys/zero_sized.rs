//! A function by its type alone.

/// The value of a type that has no size: a function item or a closure that captures nothing.
///
/// # Safety
/// A value of this very type must exist in the process that asked for the call, which has handed
/// a copy of it over, as `Copy` and `Send` allow.
pub(crate) unsafe fn conjure<F: Copy + Send + Sync + 'static>() -> F {
    const {
        assert!(
            size_of::<F>() == 0,
            "a function that goes to another process cannot capture variables: pass them as arguments"
        );
    }
    // SAFETY: a type without size has exactly one bit pattern, the empty one; that a value may
    // exist here is up to the caller.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}
