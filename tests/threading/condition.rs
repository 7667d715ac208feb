//! `ConditionTests`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hilos::threading::{
    Condition, Lock, Mutex, RLock, RawLock, Returning, RuntimeError, TIMEOUT_MAX,
};

use crate::support::{Count, LONG, in_threads, start, wait_blocked, wait_until};

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
    for (wrong, text) in [
        (
            -5.0,
            "ValueError: timeout value must be a non-negative number",
        ),
        (f64::NAN, "ValueError: Invalid value NaN (not a number)"),
        (
            1e100,
            "OverflowError: timestamp out of range for platform time_t",
        ),
    ] {
        let refused = first.acquire_timeout(wrong).unwrap_err();
        assert_eq!(format!("{refused:?}"), text);
        assert!(!lock.locked());
    }
    assert!(first.acquire_timeout(-1).unwrap() && lock.locked());
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
    let threads: Vec<_> = (0..5).map(waiter).collect();
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

/// A thread that waits so long, and returns whether it was notified; it is in the queue already.
fn waiting(shared: &Arc<(Condition, Count)>, timeout: f64) -> Returning<bool> {
    let (theirs, before) = (shared.clone(), shared.1.get());
    let thread = start(move || {
        let (condition, came) = &*theirs;
        let _held = condition.lock();
        came.up();
        condition.wait(timeout).unwrap()
    });
    shared.1.wait_for(before + 1);
    // Once the lock is free again the thread is in the queue.
    shared.0.with(|| ());
    thread
}

#[test]
fn a_notification_passes_over_who_timed_out() {
    let shared = Arc::new((Condition::default(), Count::default()));
    let hasty = waiting(&shared, 0.001);
    let patient = waiting(&shared, LONG);
    assert!(!hasty.join(LONG).unwrap());
    shared.0.with(|| shared.0.notify(1).unwrap());
    assert!(patient.join(LONG).unwrap());
}

#[test]
fn a_notification_that_meets_a_timeout_is_not_lost() {
    let shared = Arc::new((Condition::default(), Count::default()));
    for round in 0..200 {
        let hasty = waiting(&shared, f64::from(round) * 1e-5);
        let patient = waiting(&shared, LONG);
        let notify = || shared.0.with(|| shared.0.notify(1).unwrap());
        notify();
        if hasty.join(LONG).unwrap() {
            notify();
        }
        assert!(patient.join(LONG).unwrap());
    }
    assert_eq!(waiters(&shared.0), 0);
}

#[test]
fn notify_all_wakes_those_whose_time_is_not_up() {
    let shared = Arc::new((Condition::default(), Count::default()));
    let timeouts = [LONG, 0.001, LONG, 0.002, LONG, 0.003];
    let threads = timeouts.map(|timeout| waiting(&shared, timeout));
    wait_until("the hasty to leave", || waiters(&shared.0) == 3);
    shared.0.with(|| shared.0.notify_all().unwrap());
    let notified = threads.map(|thread| thread.join(LONG).unwrap());
    assert_eq!(notified, [true, false, true, false, true, false]);
    assert_eq!(waiters(&shared.0), 0);
}

#[test]
fn a_timeout_beyond_the_clock_waits_for_ever() {
    let shared = Arc::new((Condition::default(), Count::default()));
    for endless in [f64::INFINITY, 1e300, TIMEOUT_MAX + 1.0, TIMEOUT_MAX] {
        let thread = waiting(&shared, endless);
        wait_blocked(&thread);
        shared.0.with(|| shared.0.notify(1).unwrap());
        assert!(thread.join(LONG).unwrap(), "{endless}");
    }
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
}

#[test]
fn wait_for_lets_go_of_the_lock_once_even_if_its_time_is_up() {
    let condition = Condition::default();
    for at_once in [0, -1] {
        let refused = condition.wait_for(|| false, at_once).unwrap_err();
        assert!(matches!(refused, RuntimeError::WaitUnacquired));
        let _held = condition.lock();
        let mut calls = 0;
        let counts = || {
            calls += 1;
            assert!(condition.locked());
            calls == 2
        };
        assert!(condition.wait_for(counts, at_once).unwrap());
        assert_eq!(calls, 2, "before and after");
        assert!(!condition.wait_for(|| false, at_once).unwrap());
    }
}

#[test]
fn a_panic_under_the_lock_releases_it() {
    let condition = Condition::default();
    let caught = |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let panics: [&dyn Fn(); 3] = [
        &|| condition.with(|| panic!("in the closure")),
        &|| {
            let _held = condition.lock();
            panic!("under the guard");
        },
        &|| {
            let _held = condition.lock();
            let _ = condition.wait_for(|| panic!("in the predicate"), None);
        },
    ];
    for panics in panics {
        assert!(caught(panics).is_err());
        assert!(!condition.locked());
        in_threads(1, |_| condition.with(|| condition.notify(1).unwrap()));
    }
    assert_eq!(waiters(&condition), 0);
}

#[test]
fn it_can_be_a_static_over_a_lock_that_others_share() {
    static LOCK: Lock = Lock::new();
    static NOT_EMPTY: Condition<&Lock> = Condition::new(&LOCK);
    static NOT_FULL: Condition<&Lock> = Condition::new(&LOCK);
    static OWN: Condition<RLock> = Condition::new(RLock::new());
    let waiter = start(|| NOT_EMPTY.with(|| NOT_EMPTY.wait(LONG).unwrap()));
    wait_until("the thread to wait", || waiters(&NOT_EMPTY) == 1);
    NOT_FULL.acquire();
    NOT_FULL.notify_all().unwrap();
    assert_eq!(waiters(&NOT_EMPTY), 1, "each has its own queue");
    NOT_EMPTY.notify(1).unwrap();
    LOCK.release().unwrap();
    assert!(waiter.join(LONG).unwrap());
    OWN.with(|| assert!(OWN.locked()));
}

#[test]
fn over_a_plain_lock_any_thread_passes_for_its_holder() {
    let condition = Condition::new(Lock::new());
    condition.acquire();
    in_threads(1, |_| condition.notify(1).unwrap());
    condition.release().unwrap();
    assert!(condition.notify(1).is_err());
    let refused = condition.release().unwrap_err();
    assert!(matches!(refused, RuntimeError::ReleaseUnlocked));
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
