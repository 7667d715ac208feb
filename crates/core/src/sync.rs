//! The primitives that a model checker may replace.
//!
//! Whatever hilos wants checked takes its atomics, its internal mutex and condition variable from
//! here: the standard library's and parking_lot's, or loom's under `--cfg loom`.

#[cfg(not(loom))]
pub use std::sync::atomic;

#[cfg(not(loom))]
pub use parking_lot::{Condvar, Mutex, MutexGuard};

#[cfg(loom)]
pub use loom::sync::atomic;

#[cfg(loom)]
pub use model::{Condvar, Mutex, MutexGuard};

/// Defines a `new` that is `const`, except under loom, whose primitives cannot be.
#[macro_export]
#[doc(hidden)]
macro_rules! const_fn {
    ($(#[$attribute:meta])* $visibility:vis const fn $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$attribute])*
        $visibility const fn $($rest)*

        #[cfg(loom)]
        $(#[$attribute])*
        $visibility fn $($rest)*
    };
}
