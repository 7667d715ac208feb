//! `TimerTests`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos::threading::{Event, Mutex, Thread, Timer, current_thread, enumerate};

use crate::support::{LONG, wait_until};

// cpython: test_threading.py::TimerTests::test_init_immutable_default_args
#[test]
fn each_timer_has_arguments_of_its_own() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    for number in 0..2 {
        let (mut args, theirs) = (Vec::new(), calls.clone());
        let timer = Timer::new(0.01, move || {
            args.push(number);
            theirs.lock().push(args);
        });
        timer.start().unwrap();
        timer.join(LONG).unwrap();
    }
    assert_eq!(*calls.lock(), [[0], [1]]);
}

#[test]
fn it_is_a_thread_from_its_start() {
    let (seen, go_on) = (Arc::new(Mutex::new(None)), Arc::new(Event::new()));
    let (theirs, wait) = (seen.clone(), go_on.clone());
    let timer = Timer::new(0.05, move || {
        *theirs.lock() = Some(current_thread());
        wait.wait(LONG);
    });
    let timer = timer.with_name("Ring").with_daemon(false);
    assert_eq!(timer.to_string(), "<Timer(Ring, initial)>");
    assert!(!timer.is_alive());
    let start = Instant::now();
    timer.start().unwrap();
    assert!(timer.is_alive() && enumerate().contains(&timer));
    wait_until("the function to begin", || seen.lock().is_some());
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert!(seen.lock().as_ref() == Some(&*timer));
    assert!(timer.to_string().starts_with("<Timer(Ring, started "));
    go_on.set();
    timer.join(LONG).unwrap();
    assert!(!timer.is_alive() && timer.finished() && !enumerate().contains(&timer));
    assert!(timer.start().is_err());
    assert_eq!(timer.interval().seconds(), Some(0.05));
}

#[test]
fn a_cancelled_timer_calls_nothing() {
    let called = Arc::new(Event::new());
    let timer = |interval: Option<Duration>| {
        let called = called.clone();
        Timer::new(interval, move || called.set())
    };
    let before_start = timer(Some(Duration::ZERO));
    before_start.cancel();
    before_start.start().unwrap();
    before_start.join(LONG).unwrap();

    let waiting = timer(Some(Duration::from_secs(600)));
    waiting.start().unwrap();
    waiting.cancel();
    assert!(!waiting.is_alive() && !enumerate().contains(&waiting));
    waiting.join(LONG).unwrap();

    let for_ever = timer(None);
    for_ever.start().unwrap();
    let theirs = for_ever.clone();
    let other = Thread::new(move || theirs.cancel());
    other.start().unwrap();
    for_ever.join(LONG).unwrap();
    assert!(!for_ever.is_alive());
    for_ever.cancel();
    assert!(!called.is_set());
    drop((before_start, waiting, for_ever));
    wait_until("the functions to be dropped", || {
        Arc::strong_count(&called) == 1
    });
}

#[test]
fn cancelling_too_late_changes_nothing() {
    let called = Arc::new(Event::new());
    let theirs = called.clone();
    let timer = Timer::new(0, move || theirs.set());
    timer.start().unwrap();
    assert!(called.wait(LONG));
    timer.cancel();
    timer.join(LONG).unwrap();
    assert!(!timer.is_alive());
}

#[test]
fn many_timers_fire_each_once() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let timers: Vec<Timer> = (0..500)
        .map(|number| {
            let calls = calls.clone();
            // The later a timer is started, the earlier it is due.
            let interval = f64::from(500 - number) / 10_000.0;
            let timer = Timer::new(interval, move || calls.lock().push(number));
            timer.start().unwrap();
            timer
        })
        .collect();
    timers.iter().step_by(5).for_each(Timer::cancel);
    timers.iter().for_each(|timer| timer.join(LONG).unwrap());
    let mut calls = calls.lock().clone();
    calls.sort_unstable();
    calls.dedup();
    let kept = (0..500).filter(|number| number % 5 != 0).count();
    assert!(calls.len() >= kept, "{}", calls.len());
    assert!(timers.iter().all(|timer| !timer.is_alive()));
}

#[test]
fn a_slow_function_delays_no_other_timer() {
    let release = Arc::new(Event::new());
    let wait = release.clone();
    let slow = Timer::new(0, move || {
        wait.wait(LONG);
    });
    slow.start().unwrap();
    let quick = Timer::new(0.02, || ());
    quick.start().unwrap();
    quick.join(LONG).unwrap();
    assert!(slow.is_alive() && !quick.is_alive());
    release.set();
    slow.join(LONG).unwrap();
}
