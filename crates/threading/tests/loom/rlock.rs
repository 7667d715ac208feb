use std::rc::Rc;

use hilos_core::sync::model::{check, expire_timeouts};
use hilos_threading::RLock;
use loom::cell::Cell;

use crate::{LATER, spawn};

/// Loom fails when two threads use the cell at once.
#[derive(Default)]
struct Guarded {
    lock: RLock,
    count: Cell<u32>,
}

impl Guarded {
    fn count_nested(&self) {
        self.lock.acquire();
        assert!(self.lock.try_acquire());
        self.count.set(self.count.get() + 1);
        self.lock.release().unwrap();
        self.count.set(self.count.get() + 1);
        self.lock.release().unwrap();
    }
}

#[test]
fn excludes_to_the_last_release() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        let other = spawn(&guarded, Guarded::count_nested);
        guarded.count_nested();
        other.join().unwrap();
        assert_eq!(guarded.count.get(), 4);
        guarded.lock.release().unwrap_err();
    });
}

#[test]
fn only_its_holder_can_release() {
    check(|| {
        let guarded = Rc::<Guarded>::default();
        let other = spawn(&guarded, |guarded| {
            guarded.lock.release().unwrap_err();
        });
        guarded.count_nested();
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
            assert_eq!(guarded.lock.release().is_ok(), acquired);
        });
        expire_timeouts();
        guarded.lock.release().unwrap();
        waiter.join().unwrap();
        assert!(!guarded.lock.locked());
    });
}
