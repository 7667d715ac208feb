//! `LockTests`.

use std::sync::Arc;

use hilos::threading::{Lock, Mutex, RuntimeError};

use crate::base_lock::base_lock_tests;
use crate::support::{Count, LONG, in_threads, meet, start, wait_blocked};

base_lock_tests!(Lock);

// cpython: lock_tests.py::LockTests::test_reacquire
#[test]
fn it_has_to_be_released_before_it_is_acquired_again() {
    let shared = Arc::new((Lock::new(), Count::default()));
    let theirs = shared.clone();
    let thread = start(move || {
        let (lock, phase) = &*theirs;
        lock.acquire();
        phase.up();
        lock.acquire();
        phase.up();
    });
    let (lock, phase) = &*shared;
    phase.wait_for(1);
    wait_blocked(&thread);
    assert_eq!(phase.get(), 1);
    lock.release().unwrap();
    thread.join(LONG).unwrap();
    assert_eq!(phase.get(), 2);
}

// cpython: lock_tests.py::LockTests::test_different_thread
#[test]
fn another_thread_may_release_it() {
    let lock = Lock::new();
    lock.acquire();
    in_threads(1, |_| lock.release().unwrap());
    assert!(lock.try_acquire());
    lock.release().unwrap();
}

// cpython: lock_tests.py::LockTests::test_state_after_timeout
#[test]
fn a_timeout_leaves_it_as_it_was() {
    let lock = Lock::new();
    lock.acquire();
    assert!(!lock.acquire_timeout(0.01).unwrap());
    assert!(lock.locked());
    lock.release().unwrap();
    assert!(!lock.locked());
    assert!(lock.try_acquire());
}

// cpython: test_threading.py::ThreadingExceptionTests::test_releasing_unacquired_lock
#[test]
fn releasing_a_free_lock_is_refused() {
    let lock = Lock::new();
    let refused = lock.release().unwrap_err();
    assert!(matches!(refused, RuntimeError::ReleaseUnlocked));
    assert_eq!(refused.to_string(), "release unlocked lock");
    assert_eq!(
        format!("{refused:?}"),
        "RuntimeError: release unlocked lock"
    );
    assert!(!lock.locked());
    assert!(lock.try_acquire());
}

#[test]
fn of_two_releases_at_once_one_is_refused() {
    const ROUNDS: usize = 20_000;
    let (lock, done) = (Lock::new(), Count::default());
    let (begun, ended, seen) = (Count::default(), Count::default(), Count::default());
    in_threads(2, |number| {
        for round in 1..=ROUNDS {
            if number == 0 {
                lock.acquire();
            }
            meet(&begun, 2, round);
            if lock.release().is_ok() {
                done.up();
            }
            meet(&ended, 2, round);
            assert_eq!(done.get(), round);
            assert!(!lock.locked());
            meet(&seen, 2, round);
        }
    });
}

#[test]
fn of_many_releases_as_many_succeed_as_there_were_acquisitions() {
    let (lock, acquired, released) = (Lock::new(), Count::default(), Count::default());
    in_threads(4, |number| {
        for _ in 0..10_000 {
            if number % 2 == 0 && lock.try_acquire() {
                acquired.up();
            }
            if number % 2 == 1 && lock.release().is_ok() {
                released.up();
            }
        }
    });
    assert!(acquired.get() > 0);
    assert_eq!(acquired.get(), released.get() + usize::from(lock.locked()));
}

#[test]
fn a_mutex_is_the_lock_around_data() {
    static BALANCE: Mutex<i64> = Mutex::new(0);
    in_threads(4, |number| {
        let amount = if number % 2 == 0 { 1 } else { -1 };
        (0..1000).for_each(|_| *BALANCE.lock() += amount);
    });
    assert_eq!(*BALANCE.lock(), 0);
    let held = BALANCE.lock();
    in_threads(1, |_| assert!(BALANCE.try_lock().is_none()));
    drop(held);
    let poisons = std::panic::catch_unwind(|| {
        let _held = BALANCE.lock();
        panic!("under the guard");
    });
    assert!(poisons.is_err() && BALANCE.try_lock().is_some());
}
