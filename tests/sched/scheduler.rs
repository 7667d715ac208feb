//! CPython's tests that need one thread.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use hilos::sched::Scheduler;

use super::support::{Log, enterabs, scheduler};

// cpython: test_sched.py::TestCase::test_enter
#[test]
fn events_entered_by_their_delay_run_in_the_order_of_their_times() {
    let (s, log) = (scheduler(), Log::new());
    for delay in [0.5, 0.4, 0.3, 0.2, 0.1] {
        s.enter(delay, 1, log.of(delay)).unwrap();
    }
    assert_eq!(s.run(true), None);
    assert_eq!(log.take(), [0.1, 0.2, 0.3, 0.4, 0.5]);
}

// cpython: test_sched.py::TestCase::test_enterabs
#[test]
fn events_of_the_past_run_in_the_order_of_their_times() {
    let unix_time = || UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let delay = |seconds| thread::sleep(Duration::from_secs_f64(seconds));
    let (s, log) = (Scheduler::with_clock(unix_time, delay), Log::new());
    for time in [0.05, 0.04, 0.03, 0.02, 0.01] {
        enterabs(&s, &log, time);
    }
    s.run(true);
    assert_eq!(log.take(), [0.01, 0.02, 0.03, 0.04, 0.05]);
}

// cpython: test_sched.py::TestCase::test_priority
#[test]
fn events_of_one_time_run_in_the_order_of_their_priorities() {
    let (s, log) = (scheduler(), Log::new());
    let cases = [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([5, 4, 3, 2, 1], [1, 2, 3, 4, 5]),
        ([2, 5, 3, 1, 4], [1, 2, 3, 4, 5]),
        ([1, 2, 3, 2, 1], [1, 1, 2, 2, 3]),
        (
            [0, i64::MAX, -1, i64::MIN, 1],
            [i64::MIN, -1, 0, 1, i64::MAX],
        ),
    ];
    for (priorities, expected) in cases {
        for priority in priorities {
            s.enterabs(0.01, priority, log.of(priority)).unwrap();
        }
        s.run(true);
        assert_eq!(log.take(), expected);
        assert!(s.empty());
    }
}

// cpython: test_sched.py::TestCase::test_cancel
#[test]
fn cancelled_events_do_not_run() {
    let (s, log) = (scheduler(), Log::new());
    let events = [0.01, 0.02, 0.03, 0.04, 0.05].map(|time| enterabs(&s, &log, time));
    s.cancel(events[0]).unwrap();
    s.cancel(events[4]).unwrap();
    s.run(true);
    assert_eq!(log.take(), [0.02, 0.03, 0.04]);
}

// cpython: test_sched.py::TestCase::test_cancel_correct_event
#[test]
fn of_equal_events_the_one_that_is_meant_is_cancelled() {
    let (s, log) = (scheduler(), Log::new());
    let [_, b, _] = ["a", "b", "c"].map(|name| s.enterabs(1.0, 1, log.of(name)).unwrap());
    s.cancel(b).unwrap();
    s.run(true);
    assert_eq!(log.take(), ["a", "c"]);
}

// cpython: test_sched.py::TestCase::test_empty
#[test]
fn a_scheduler_is_empty_until_events_are_entered_and_when_they_have_run() {
    let (s, log) = (scheduler(), Log::new());
    assert!(s.empty());
    for time in [0.05, 0.04, 0.03, 0.02, 0.01] {
        enterabs(&s, &log, time);
    }
    assert!(!s.empty());
    s.run(true);
    assert!(s.empty());
}

// cpython: test_sched.py::TestCase::test_queue
#[test]
fn the_queue_lists_the_events_in_the_order_in_which_they_will_run() {
    let s = scheduler();
    let [e5, e1, e2, e4, e3] =
        [0.05, 0.01, 0.02, 0.04, 0.03].map(|time| s.enterabs(time, 1, || ()).unwrap());
    assert_eq!(s.queue(), [e1, e2, e3, e4, e5]);
    assert_eq!(s.queue().len(), 5);
}

// cpython: test_sched.py::TestCase::test_args_kwargs
#[test]
fn arguments_travel_in_the_closure() {
    let s = scheduler();
    let calls = Arc::new(Mutex::new(vec![]));
    let enter = |args: &'static [&'static str], foo: Option<i32>| {
        let calls = calls.clone();
        let call = move || calls.lock().unwrap().push((args, foo));
        s.enterabs(0.0, 1, call).unwrap();
    };
    enter(&[], None);
    enter(&["1", "2"], None);
    enter(&["a", "b"], None);
    enter(&["1", "2"], Some(3));
    s.run(true);
    let expected: [(&[_], _); 4] = [
        (&[], None),
        (&["1", "2"], None),
        (&["a", "b"], None),
        (&["1", "2"], Some(3)),
    ];
    assert_eq!(*calls.lock().unwrap(), expected);
}

// cpython: test_sched.py::TestCase::test_run_non_blocking
#[test]
fn a_run_that_does_not_block_leaves_what_is_not_due() {
    let (s, log) = (scheduler(), Log::new());
    for delay in [10.0, 9.0, 8.0, 7.0, 6.0] {
        s.enter(delay, 1, log.of(delay)).unwrap();
    }
    assert_eq!(s.run(false), Some(6.0));
    assert_eq!(log.take(), []);
    assert_eq!(s.queue().len(), 5);

    enterabs(&s, &log, -1.0);
    enterabs(&s, &log, 0.0);
    assert_eq!(s.run(false), Some(6.0));
    assert_eq!(log.take(), [-1.0, 0.0]);
    assert_eq!(scheduler().run(false), None);
}

#[test]
fn the_systems_clock_begins_with_the_scheduler_and_waits() {
    let (start, s, log) = (Instant::now(), Scheduler::new(), Log::new());
    for time in [0.03, 0.02, 0.01, -1.0] {
        enterabs(&s, &log, time);
    }
    assert_eq!(s.run(true), None);
    assert_eq!(log.take(), [-1.0, 0.01, 0.02, 0.03]);
    assert!(start.elapsed() >= Duration::from_millis(30));

    let (s, far) = (Scheduler::default(), 3600.0);
    s.enter(far, 1, || ()).unwrap();
    let left = s.run(false).unwrap();
    assert!(0.0 < left && left <= far, "{left}");
    let entered = s.queue()[0].time();
    assert!(entered >= far, "{entered}");
}

#[test]
fn the_delay_function_gets_the_time_that_is_left_and_0_after_each_event() {
    let delays = Log::new();
    let now = Arc::new(Mutex::new(10.0));
    let s = {
        let (now, later, delays) = (now.clone(), now, delays.clone());
        Scheduler::with_clock(
            move || *now.lock().unwrap(),
            move |delay: f64| {
                delays.push(delay);
                // It may return early: the scheduler calls it again.
                *later.lock().unwrap() += delay.min(1.0);
            },
        )
    };
    s.enter(1.5, 1, || ()).unwrap();
    s.enter(1.5, 1, || ()).unwrap();
    s.run(true);
    assert_eq!(delays.take(), [1.5, 0.5, 0.0, 0.0]);
}

#[test]
fn an_event_tells_when_and_in_which_order() {
    let s = scheduler();
    let first = s.enterabs(2.5, -3, || ()).unwrap();
    let second = s.enter(1.5, 4, || ()).unwrap();
    assert_eq!(
        (first.time(), first.priority(), first.sequence()),
        (2.5, -3, 0)
    );
    assert_eq!(
        (second.time(), second.priority(), second.sequence()),
        (1.5, 4, 1)
    );
    assert!(second < first);
    assert_eq!(s.queue(), [second, first]);
}
