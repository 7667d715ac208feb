#![cfg(feature = "tokio")]
//! tokio as a guest of the event loop: its futures, awaited in coroutines.

mod cancel;
mod guest;
#[cfg(target_os = "linux")]
mod readers;
mod runtime;

use std::cell::Cell;
use std::rc::Rc;

/// Notes that it was dropped.
#[derive(Clone, Default)]
struct Dropped(Rc<Cell<bool>>);

/// Sets a [`Dropped`] when it is dropped.
struct Guard(Dropped);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.set(true);
    }
}

impl Dropped {
    fn guard(&self) -> Guard {
        Guard(self.clone())
    }

    fn is(&self) -> bool {
        self.0.get()
    }
}
