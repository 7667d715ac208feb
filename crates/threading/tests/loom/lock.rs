use std::rc::Rc;

use hilos_core::sync::model::{check, expire_timeouts};
use hilos_threading::Lock;
use loom::cell::Cell;

use crate::{LATER, spawn};

/// Loom fails when two threads use the cell at once.
#[derive(Default)]
struct Guarded {
    lock: Lock,
    count: Cell<u32>,
}

impl Guarded {
    fn count(&self) {
        self.count.set(self.count.get() + 1);
    }
}

#[test]
fn excludes() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        let other = spawn(&guarded, |guarded| guarded.lock.with(|| guarded.count()));
        guarded.lock.with(|| guarded.count());
        other.join().unwrap();
        assert_eq!(guarded.count.get(), 2);
    });
}

#[test]
fn is_released_by_another_thread() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        guarded.lock.acquire();
        let other = spawn(&guarded, |guarded| {
            guarded.count();
            guarded.lock.release().unwrap();
        });
        guarded.lock.acquire();
        guarded.count();
        assert!(guarded.lock.locked());
        guarded.lock.release().unwrap();
        guarded.lock.release().unwrap_err();
        other.join().unwrap();
    });
}

#[test]
fn a_timeout_races_a_release() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        guarded.lock.acquire();
        let waiter = spawn(&guarded, |guarded| {
            let acquired = guarded.lock.acquire_timeout(LATER).unwrap();
            if acquired {
                guarded.count();
            }
            acquired
        });
        expire_timeouts();
        guarded.count();
        guarded.lock.release().unwrap();
        let acquired = waiter.join().unwrap();
        assert_eq!(guarded.lock.locked(), acquired);
        assert_eq!(guarded.count.get(), 1 + u32::from(acquired));
    });
}
