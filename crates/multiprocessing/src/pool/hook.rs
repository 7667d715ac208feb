//! The user's own functions, called in the pool's threads.

use hilos_core::panic::{Unwound, catch};
use hilos_threading::{ExceptHookArgs, current_thread, excepthook};

/// Calls `f`; a panic in it is reported, and does not harm the pool.
pub(super) fn call(f: impl FnOnce()) {
    if let Err(Unwound::Panic(panic)) = catch(f) {
        let args = ExceptHookArgs::new(panic.into(), Some(current_thread()));
        let _ = catch(|| excepthook(&args));
    }
}
