//! The primitives that a model checker may replace.
//!
//! Whatever hilos wants checked takes its atomics, its internal mutex and condition variable from
//! here: the standard library's and parking_lot's, or loom's under `--cfg loom`, where `model` has
//! what loom lacks.

#[cfg(loom)]
pub mod model;

#[cfg(not(loom))]
pub use std::sync::atomic;

#[cfg(not(loom))]
pub use parking_lot::{Condvar, Mutex, MutexGuard};

#[cfg(loom)]
pub use loom::sync::atomic;

#[cfg(loom)]
pub use model::{Condvar, Mutex, MutexGuard};

/// Spins a few times before a thread goes to sleep; under a model checker it never does.
#[derive(Default)]
pub struct SpinWait {
    spins: parking_lot_core::SpinWait,
}

impl SpinWait {
    /// Creates a wait that has not spun yet.
    pub const fn new() -> Self {
        Self {
            spins: parking_lot_core::SpinWait::new(),
        }
    }

    /// Spins once, longer each time, or says that it is time to sleep.
    #[inline]
    pub fn spin(&mut self) -> bool {
        !cfg!(loom) && self.spins.spin()
    }

    /// Begins anew.
    #[inline]
    pub const fn reset(&mut self) {
        self.spins.reset();
    }
}

/// Gives other threads a moment to make `ready` true before this one goes to sleep, and returns
/// whether they did; `false` at once under a model checker, which tries every moment anyway.
#[inline]
pub fn spin_until<F: FnMut() -> bool>(mut ready: F) -> bool {
    if cfg!(loom) {
        return false;
    }
    let mut spin = SpinWait::new();
    loop {
        if ready() {
            return true;
        }
        if !spin.spin() {
            return false;
        }
    }
}

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
