//! `ConditionTests`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hilos::threading::{Condition, Lock, Mutex, RLock, RawLock, RuntimeError, Thread};

use crate::support::{Count, LONG, in_threads, start, wait_until};

/// How many threads wait, as the condition prints it.
fn waiters<L: RawLock + std::fmt::Display>(condition: &Condition<L>) -> usize {
    let text = condition.to_string();
    let count = text.trim_end_matches(")>").rsplit(", ").next();
    count.unwrap().parse().unwrap()
}

// cpython: lock_tests.py::ConditionTests::test_acquire
#[test]
fn its_lock_is_its_own_or_a_given_one() {
    let own = Condition::default();
    own.acquire();
    own.acquire();
    own.release().unwrap();
    own.release().unwrap();
    assert!(!own.locked());

    let lock = Arc::new(Lock::new());
    let (first, second) = (Condition::new(lock.clone()), Condition::new(lock.clone()));
    first.acquire();
    assert!(lock.locked() && second.locked());
    assert!(!second.try_acquire() && !second.acquire_timeout(0.01).unwrap());
    lock.release().unwrap();
    assert!(!first.locked());
    first.with(|| assert!(lock.locked()));
    {
        let _held = second.lock();
        assert!(first.locked());
    }
    assert!(first.acquire_timeout(-5).is_err() && !lock.locked());
}

// cpython: lock_tests.py::ConditionTests::test_unacquired_wait
#[test]
fn waiting_without_the_lock_is_refused() {
    let condition = Condition::default();
    let refused = condition.wait(None).unwrap_err();
    assert!(matches!(refused, RuntimeError::WaitUnacquired));
    assert_eq!(refused.to_string(), "cannot wait on un-acquired lock");
    assert!(condition.wait_for(|| false, 1).is_err());
    assert!(condition.wait_for(|| true, 1).unwrap(), "it need not wait");
    assert!(Condition::new(Lock::new()).wait(None).is_err());
    assert_eq!(waiters(&condition), 0);
}

// cpython: lock_tests.py::ConditionTests::test_unacquired_notify
#[test]
fn notifying_without_the_lock_is_refused() {
    let condition = Condition::default();
    let refused = condition.notify(1).unwrap_err();
    assert!(matches!(refused, RuntimeError::NotifyUnacquired));
    assert_eq!(refused.to_string(), "cannot notify on un-acquired lock");
    assert!(condition.notify_all().is_err());
    condition.acquire();
    in_threads(1, |_| {
        assert!(condition.notify(1).is_err(), "another thread holds it")
    });
    condition.notify(1).unwrap();
}

/// Lets `n` of five threads go on at a time and sees that it is so many, the first come first.
fn check_notify<
    L: RawLock<ReleaseError = RuntimeError> + Send + Sync + std::fmt::Display + 'static,
>(
    condition: Condition<L>,
) {
    let shared = Arc::new((condition, Mutex::new(Vec::new())));
    let (condition, woken) = &*shared;
    let waiter = |number: usize| {
        let shared = shared.clone();
        let thread = start(move || {
            let _held = shared.0.lock();
            assert!(shared.0.wait(None).unwrap());
            shared.1.lock().push(number);
        });
        wait_until("the thread to wait", || waiters(condition) == number + 1);
        thread
    };
    let threads: Vec<Thread> = (0..5).map(waiter).collect();
    let mut expected = Vec::new();
    for (count, group) in [(0, 0..0), (1, 0..1), (3, 1..4)] {
        condition.acquire();
        condition.notify(count).unwrap();
        let left = 5 - expected.len() - count;
        assert_eq!(waiters(condition), left);
        assert_eq!(
            woken.lock().len(),
            expected.len(),
            "nobody runs before the lock is free"
        );
        condition.release().unwrap();
        expected.extend(group);
        wait_until("them to go on", || woken.lock().len() == expected.len());
        woken.lock()[expected.len() - count..].sort_unstable();
        assert_eq!(*woken.lock(), expected);
    }
    condition.acquire();
    condition.notify_all().unwrap();
    condition.release().unwrap();
    threads.iter().for_each(|thread| thread.join(LONG).unwrap());
    assert_eq!(woken.lock().len(), 5);
}

// cpython: lock_tests.py::ConditionTests::test_notify
#[test]
fn notify_wakes_as_many_as_asked_in_their_order() {
    check_notify(Condition::default());
    check_notify(Condition::new(Lock::new()));
    check_notify(Condition::new(Arc::new(RLock::new())));
}

// cpython: lock_tests.py::ConditionTests::test_timeout
#[test]
fn who_times_out_leaves_the_queue() {
    let condition = Condition::default();
    in_threads(5, |_| {
        let _held = condition.lock();
        let start = Instant::now();
        assert!(!condition.wait(0.05).unwrap());
        assert!(start.elapsed().as_secs_f64() >= 0.05);
        for at_once in [0.0, -1.0, f64::NAN] {
            assert!(!condition.wait(at_once).unwrap(), "{at_once}");
        }
    });
    assert_eq!(waiters(&condition), 0);
}

#[test]
fn a_notification_goes_to_one_who_still_waits() {
    let shared = Arc::new((Condition::default(), Count::default()));
    let (condition, woken) = &*shared;
    for _ in 0..50 {
        let theirs = shared.clone();
        let waits = start(move || {
            let _held = theirs.0.lock();
            if theirs.0.wait(LONG).unwrap() {
                theirs.1.up();
            }
        });
        wait_until("the thread to wait", || waiters(condition) == 1);
        in_threads(2, |number| {
            let _held = condition.lock();
            match number {
                0 => drop(condition.wait(0.001).unwrap()),
                _ => condition.notify(1).unwrap(),
            }
        });
        condition.with(|| condition.notify_all().unwrap());
        waits.join(LONG).unwrap();
    }
    assert_eq!(woken.get(), 50);
}

// cpython: lock_tests.py::ConditionTests::test_waitfor
#[test]
fn wait_for_waits_for_a_predicate() {
    let shared = Arc::new((Condition::default(), AtomicUsize::new(0)));
    let theirs = shared.clone();
    let waiter = start(move || {
        let (condition, state) = &*theirs;
        let _held = condition.lock();
        assert!(
            condition
                .wait_for(|| state.load(Ordering::SeqCst) == 4, None)
                .unwrap()
        );
        assert_eq!(state.load(Ordering::SeqCst), 4);
    });
    let (condition, state) = &*shared;
    for value in 1..=4 {
        wait_until("the thread to wait", || waiters(condition) == 1);
        condition.acquire();
        state.store(value, Ordering::SeqCst);
        condition.notify(1).unwrap();
        condition.release().unwrap();
    }
    waiter.join(LONG).unwrap();
    assert!(!waiter.is_alive());
}

// cpython: lock_tests.py::ConditionTests::test_waitfor_timeout
#[test]
fn wait_for_returns_the_predicates_last_value() {
    let condition = Condition::default();
    let _held = condition.lock();
    let start = Instant::now();
    let mut calls = 0;
    let answer = condition.wait_for(
        || {
            calls += 1;
            false
        },
        0.05,
    );
    assert!(!answer.unwrap() && calls >= 2);
    assert!(start.elapsed().as_secs_f64() >= 0.05);
    assert!(!condition.wait_for(|| false, -1).unwrap());
}

#[test]
fn waiting_lets_go_of_every_level_of_the_lock() {
    let shared = Arc::new((Condition::default(), Count::default()));
    let theirs = shared.clone();
    let waiter = start(move || {
        let (condition, done) = &*theirs;
        condition.acquire();
        condition.acquire();
        condition.acquire();
        assert!(condition.wait(LONG).unwrap());
        for _ in 0..3 {
            condition.release().unwrap();
        }
        assert!(condition.release().is_err(), "restored to its depth");
        done.up();
    });
    let (condition, done) = &*shared;
    wait_until("the thread to wait", || waiters(condition) == 1);
    assert!(condition.acquire_timeout(LONG).unwrap());
    condition.notify(1).unwrap();
    condition.release().unwrap();
    waiter.join(LONG).unwrap();
    assert_eq!(done.get(), 1);
}

#[test]
fn it_prints_as_in_python() {
    let condition = Condition::default();
    assert!(
        condition
            .to_string()
            .starts_with("<Condition(<unlocked _thread.RLock object ")
    );
    assert!(condition.to_string().ends_with(">, 0)>"));
    let over_lock = Condition::new(Lock::new());
    over_lock.acquire();
    assert!(format!("{over_lock:?}").starts_with("<Condition(<locked _thread.lock object at "));
}
