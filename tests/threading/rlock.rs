//! `RLockTests`.

use std::sync::Arc;

use hilos::threading::{RLock, RuntimeError, get_ident};

use crate::base_lock::base_lock_tests;
use crate::support::{Count, LONG, in_threads, start};

base_lock_tests!(RLock);

// cpython: lock_tests.py::RLockTests::test_reacquire
#[test]
fn its_holder_may_acquire_it_again() {
    let lock = RLock::new();
    lock.acquire();
    assert!(lock.try_acquire() && lock.acquire_timeout(0).unwrap());
    for _ in 0..3 {
        in_threads(1, |_| assert!(!lock.try_acquire()));
        lock.release().unwrap();
    }
    in_threads(1, |_| assert!(lock.try_acquire()));
}

// cpython: lock_tests.py::RLockTests::test_release_unacquired
#[test]
fn releasing_it_too_often_is_refused() {
    let lock = RLock::new();
    let refuses = || {
        let refused = lock.release().unwrap_err();
        assert!(matches!(refused, RuntimeError::ReleaseUnacquired));
        assert_eq!(refused.to_string(), "cannot release un-acquired lock");
    };
    refuses();
    lock.acquire();
    lock.acquire();
    lock.release().unwrap();
    lock.acquire();
    lock.release().unwrap();
    lock.release().unwrap();
    refuses();
}

// cpython: lock_tests.py::RLockTests::test_different_thread
#[test]
fn another_thread_may_not_release_it() {
    let lock = RLock::new();
    lock.acquire();
    lock.acquire();
    in_threads(2, |_| {
        let refused = lock.release().unwrap_err();
        assert!(matches!(refused, RuntimeError::ReleaseUnacquired));
        assert!(lock.to_string().contains(" count=2 "), "{lock}");
    });
    lock.release().unwrap();
    assert!(lock.locked());
    lock.release().unwrap();
    assert!(!lock.locked());
}

#[test]
fn guards_and_closures_nest() {
    let lock = RLock::new();
    let deeper = lock.with(|| {
        let _held = lock.lock();
        lock.with(|| lock.to_string())
    });
    assert!(deeper.contains(" count=3 "), "{deeper}");
    assert!(!lock.locked());
}

#[test]
fn a_panic_releases_every_level() {
    let lock = RLock::new();
    lock.acquire();
    let nested = std::panic::AssertUnwindSafe(|| {
        let _held = lock.lock();
        lock.with(|| panic!("deep inside"))
    });
    assert!(std::panic::catch_unwind(nested).is_err());
    assert!(lock.to_string().contains(" count=1 "), "{lock}");
    lock.release().unwrap();
    in_threads(1, |_| lock.with(|| ()));
}

// cpython: lock_tests.py::RLockTests::test_locked
#[test]
fn locked_at_every_depth() {
    let lock = RLock::new();
    assert!(!lock.locked());
    lock.acquire();
    lock.acquire();
    assert!(lock.locked());
    lock.release().unwrap();
    assert!(lock.locked());
    lock.release().unwrap();
    assert!(!lock.locked());
}

// cpython: lock_tests.py::RLockTests::test_locked_with_2threads
#[test]
fn locked_is_seen_by_other_threads() {
    let shared = Arc::new((RLock::new(), Count::default(), Count::default()));
    let theirs = shared.clone();
    let thread = start(move || {
        let (lock, held, done) = &*theirs;
        lock.acquire();
        held.up();
        done.wait_for(1);
        lock.release().unwrap();
    });
    let (lock, held, done) = &*shared;
    held.wait_for(1);
    assert!(lock.locked());
    assert!(lock.release().is_err());
    done.up();
    thread.join(LONG).unwrap();
    assert!(!lock.locked());
}

// cpython: lock_tests.py::RLockTests::test_repr_count
#[test]
fn it_prints_its_owner_and_depth() {
    let lock = RLock::new();
    assert!(lock.to_string().contains(" owner=0 count=0 "), "{lock}");
    lock.acquire();
    lock.acquire();
    let held = format!(
        "<locked _thread.RLock object owner={} count=2 at ",
        get_ident()
    );
    assert!(lock.to_string().starts_with(&held), "{lock}");
}
