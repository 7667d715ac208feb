//! `EventTests`.

use std::sync::Arc;
use std::time::Instant;

use hilos::threading::{Event, TIMEOUT_MAX};

use crate::support::{Count, LONG, in_threads, start, wait_blocked};

// cpython: lock_tests.py::EventTests::test_is_set
#[test]
fn set_and_clear() {
    static STATIC: Event = Event::new();
    assert!(!STATIC.is_set());
    STATIC.set();
    STATIC.set();
    assert!(STATIC.is_set());
    STATIC.clear();
    STATIC.clear();
    assert!(!STATIC.is_set());
}

/// Threads that wait twice; the event is set once they all sleep.
fn check_notify(event: &Arc<Event>) {
    let woken = Arc::new(Count::default());
    let waiter = || {
        let (event, woken) = (event.clone(), woken.clone());
        start(move || {
            assert!(event.wait(None));
            assert!(event.wait(LONG));
            woken.up();
        })
    };
    let threads: Vec<_> = (0..5).map(|_| waiter()).collect();
    threads.iter().for_each(wait_blocked);
    assert_eq!(woken.get(), 0);
    event.set();
    threads.iter().for_each(|thread| thread.join(LONG).unwrap());
    assert_eq!(woken.get(), 5);
}

// cpython: lock_tests.py::EventTests::test_notify
#[test]
fn setting_it_wakes_all() {
    let event = Arc::new(Event::new());
    check_notify(&event);
    event.set();
    event.clear();
    check_notify(&event);
}

// cpython: lock_tests.py::EventTests::test_timeout
#[test]
fn a_timeout_limits_the_wait() {
    let event = Event::new();
    for at_once in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        assert!(!event.wait(at_once), "{at_once}");
    }
    in_threads(5, |_| {
        let start = Instant::now();
        assert!(!event.wait(0.05));
        assert!(start.elapsed().as_secs_f64() >= 0.05);
    });
    event.set();
    in_threads(5, |_| {
        assert!(event.wait(0) && event.wait(LONG) && event.wait(None) && event.wait(-1));
        assert!(event.wait(f64::INFINITY) && event.wait(1e300));
    });
}

// cpython: lock_tests.py::EventTests::test_set_and_clear
#[test]
fn clearing_it_at_once_still_releases_every_waiter() {
    let event = Arc::new(Event::new());
    for _ in 0..20 {
        let waiter = || {
            let event = event.clone();
            start(move || assert!(event.wait(LONG)))
        };
        let threads: Vec<_> = (0..5).map(|_| waiter()).collect();
        threads.iter().for_each(wait_blocked);
        event.set();
        event.clear();
        threads.iter().for_each(|thread| thread.join(LONG).unwrap());
        assert!(!event.is_set());
    }
}

#[test]
fn after_a_clear_a_wait_blocks_again() {
    let event = Arc::new(Event::new());
    for _ in 0..20 {
        event.set();
        assert!(event.wait(0));
        event.clear();
        assert!(!event.wait(0) && !event.wait(0.001));
    }
    let theirs = event.clone();
    let thread = start(move || theirs.wait(LONG));
    wait_blocked(&thread);
    event.set();
    assert!(thread.join(LONG).unwrap());
}

#[test]
fn a_timeout_beyond_the_clock_waits_for_ever() {
    for endless in [f64::INFINITY, 1e300, TIMEOUT_MAX + 1.0, TIMEOUT_MAX] {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        let thread = start(move || theirs.wait(endless));
        wait_blocked(&thread);
        event.set();
        assert!(thread.join(LONG).unwrap(), "{endless}");
    }
}

#[test]
fn who_times_out_does_not_keep_others_from_being_woken() {
    let event = Arc::new(Event::new());
    for hasty_ones in [1, 4] {
        event.clear();
        let waiter = |timeout: f64| {
            let event = event.clone();
            start(move || event.wait(timeout))
        };
        let patient = waiter(LONG);
        wait_blocked(&patient);
        let hasty: Vec<_> = (0..hasty_ones).map(|_| waiter(0.001)).collect();
        for thread in hasty {
            assert!(!thread.join(LONG).unwrap());
        }
        event.set();
        assert!(patient.join(LONG).unwrap());
    }
}

// cpython: lock_tests.py::EventTests::test_repr
#[test]
fn it_prints_as_in_python() {
    let event = Event::new();
    assert_eq!(
        event.to_string(),
        format!("<threading.Event at {:p}: unset>", &event)
    );
    event.set();
    assert_eq!(
        format!("{event:?}"),
        format!("<threading.Event at {:p}: set>", &event)
    );
}
