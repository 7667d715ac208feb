//! The deadlock detector: `cargo test --features deadlock_detection --test threading_deadlock`.

#![cfg(feature = "deadlock_detection")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos::threading::deadlock::{check, watch};
use hilos::threading::{Barrier, Lock, Mutex, RLock, Thread};

/// Polls until `condition` is true.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "still waiting for: {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The one test of this file: the detector looks at the whole process.
#[test]
fn circles_are_found_and_nothing_else() {
    a_wait_that_will_end_is_no_deadlock();
    two_threads_and_two_locks_are_named();
    a_circle_of_three_over_other_kinds_of_locks();
}

fn a_wait_that_will_end_is_no_deadlock() {
    let lock = Arc::new(Lock::new().with_name("held"));
    lock.acquire();
    let theirs = lock.clone();
    let waits = Thread::new(move || theirs.with(|| ()));
    waits.start().unwrap();
    // A thread that holds what it waits for, but only until its time is up.
    assert!(!lock.acquire_timeout(0.05).unwrap());
    assert!(check().is_empty());
    lock.release().unwrap();
    waits.join(60).unwrap();
}

fn two_threads_and_two_locks_are_named() {
    let locks = Arc::new((
        Lock::new().with_name("forks"),
        Lock::new().with_name("knives"),
    ));
    let both = Arc::new(Barrier::new(2).unwrap());
    let philosopher = |name: &str, swapped: bool| {
        let (locks, both) = (locks.clone(), both.clone());
        let thread = Thread::new(move || {
            let (first, second) = match swapped {
                false => (&locks.0, &locks.1),
                true => (&locks.1, &locks.0),
            };
            first.acquire();
            both.wait(60).unwrap();
            second.acquire();
            let _ = (second.release(), first.release());
        });
        let thread = thread.with_name(name);
        thread.start().unwrap();
        thread
    };
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let watcher = watch(0.001, move |deadlock| {
        tell.lock().push(deadlock.to_string())
    })
    .unwrap();
    let threads = [philosopher("Sócrates", false), philosopher("Platón", true)];

    wait_until("the circle to close", || !check().is_empty());
    let found = check();
    assert_eq!(found.len(), 1);
    let mut names: Vec<_> = found[0]
        .waits()
        .iter()
        .map(|wait| {
            let name = |thread: Option<&Thread>| thread.unwrap().name();
            (
                name(wait.thread()),
                wait.lock_name().unwrap(),
                name(wait.holder()),
            )
        })
        .collect();
    names.sort();
    let (socrates, plato) = ("Sócrates".to_owned(), "Platón".to_owned());
    assert_eq!(
        names,
        [
            (plato.clone(), "forks", socrates.clone()),
            (socrates.clone(), "knives", plato.clone()),
        ]
    );
    let text = found[0].to_string();
    assert!(text.starts_with("deadlock of 2 threads:\n"), "{text}");
    assert!(
        text.contains("Platón waits at tests/threading_deadlock.rs:"),
        "{text}"
    );
    assert!(
        text.contains(" for the lock \"forks\", which Sócrates acquired at "),
        "{text}"
    );

    wait_until("the watcher to tell", || !told.lock().is_empty());
    // Any thread may release a lock: that undoes the knot.
    locks.0.release().unwrap();
    threads.iter().for_each(|thread| thread.join(60).unwrap());
    watcher.cancel();
    watcher.join(60).unwrap();
    assert_eq!(told.lock().len(), 1, "one deadlock is told once");
    assert!(check().is_empty());
}

fn a_circle_of_three_over_other_kinds_of_locks() {
    let (lock, rlock) = (Arc::new(Lock::new()), Arc::new(RLock::new()));
    let data = Arc::new(Mutex::new(0));
    let all = Arc::new(Barrier::new(3).unwrap());
    type Knot = Box<dyn FnOnce(&dyn Fn()) + Send>;
    let start = |name: &str, hold: Knot| {
        let all = all.clone();
        let thread = Thread::new(move || hold(&|| assert!(all.wait(60).is_ok())));
        // They stay knotted, and must not keep the program.
        let thread = thread.with_name(name).with_daemon(true);
        thread.start().unwrap();
    };
    let (held, wanted) = (lock.clone(), rlock.clone());
    start(
        "one",
        Box::new(move |meet| {
            held.acquire();
            meet();
            wanted.acquire();
        }),
    );
    let (held, wanted) = (rlock, data.clone());
    start(
        "two",
        Box::new(move |meet| {
            held.acquire();
            held.acquire();
            meet();
            *wanted.lock() += 1;
        }),
    );
    let (held, wanted) = (data, lock);
    start(
        "three",
        Box::new(move |meet| {
            let _held = held.lock();
            meet();
            wanted.acquire();
        }),
    );
    wait_until("the circle to close", || {
        check().iter().any(|found| found.waits().len() == 3)
    });
    let found = check();
    let mut names: Vec<_> = found[0]
        .waits()
        .iter()
        .map(|wait| wait.thread().unwrap().name())
        .collect();
    names.sort();
    assert_eq!(names, ["one", "three", "two"]);
}
