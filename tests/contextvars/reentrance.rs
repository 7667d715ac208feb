//! Values that use context variables themselves while they are cloned or dropped.

use std::sync::atomic::{AtomicUsize, Ordering};

use hilos::contextvars::{ContextVar, copy_context};

use super::isolated_context;

static CLONES: ContextVar<usize> = ContextVar::new("clones").with_default(0);
static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Busy;

impl Clone for Busy {
    fn clone(&self) -> Self {
        CLONES.set(CLONES.get().unwrap() + 1);
        Self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        CLONES.set(CLONES.get().unwrap());
        assert!(copy_context().contains(&CLONES));
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn values_may_use_variables_when_cloned_and_dropped() {
    static BUSY: ContextVar<Busy> = ContextVar::new("busy");
    isolated_context(|| {
        let token = BUSY.set(Busy);
        drop(BUSY.get());
        drop(copy_context().get(&BUSY));
        assert_eq!(CLONES.get(), Ok(2));
        BUSY.set(Busy);
        assert!(token.old_value().is_none());
        BUSY.reset(&token).unwrap();
        // Two values and two clones of the first.
        assert_eq!(DROPPED.load(Ordering::Relaxed), 4);
        assert!(!copy_context().contains(&BUSY));
    });
}
