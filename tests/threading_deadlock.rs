//! The deadlock detector: `cargo test --features deadlock_detection --test threading_deadlock`.

#![cfg(feature = "deadlock_detection")]

#[path = "threading/waiting.rs"]
mod waiting;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hilos::threading::deadlock::{Deadlock, check, watch};
use hilos::threading::{Barrier, Condition, Lock, Mutex, RLock, Thread};

use waiting::wait_until;

/// The one test of this file: the detector looks at the whole process.
#[test]
fn circles_are_found_and_nothing_else() {
    waiting_for_a_thread_that_waits_for_nobody_is_no_deadlock();
    a_wait_that_will_end_is_no_deadlock();
    a_thread_that_waits_for_itself_is_named_though_hilos_did_not_start_it();
    the_places_are_those_of_the_callers();
    two_threads_and_two_locks_are_named();
    a_circle_of_three_over_other_kinds_of_locks();
}

/// Waits until the thread sleeps, and not just for a moment on its way.
fn wait_blocked(thread: &Thread) {
    let id = thread.native_id().expect("it runs");
    let stays_asleep = |_| {
        std::thread::sleep(Duration::from_millis(1));
        let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat"));
        stat.is_ok_and(|stat| stat.contains(") S "))
    };
    wait_until("the thread to be blocked", || (0..3).all(stays_asleep));
}

fn waiting_for_a_thread_that_waits_for_nobody_is_no_deadlock() {
    let lock = Arc::new(Lock::new());
    lock.acquire();
    let theirs = lock.clone();
    let waits = Thread::new(move || theirs.with(|| ()));
    waits.start().unwrap();
    wait_blocked(&waits);
    assert!(check().is_empty());
    lock.release().unwrap();
    waits.join(60).unwrap();
    assert!(!waits.is_alive());
}

/// The locks are held crosswise, but one of the threads would give up one day.
fn a_wait_that_will_end_is_no_deadlock() {
    let locks = Arc::new((Lock::new(), Lock::new()));
    let both = Arc::new(Barrier::new(2).unwrap());
    let (theirs, meet) = (locks.clone(), both.clone());
    // Their joins fail if the threads do.
    let patient = Thread::returning(move || {
        theirs.0.acquire();
        meet.wait(60).unwrap();
        theirs.1.acquire();
        true
    });
    let theirs = locks.clone();
    let hasty = Thread::returning(move || {
        theirs.1.acquire();
        both.wait(60).unwrap();
        theirs.0.acquire_timeout(1_000_000).unwrap()
    });
    let threads = [patient, hasty];
    threads.iter().for_each(|thread| thread.start().unwrap());
    wait_until("both locks to be held", || {
        locks.0.locked() && locks.1.locked()
    });
    threads.iter().for_each(|thread| wait_blocked(thread));
    assert!(check().is_empty());
    locks.0.release().unwrap();
    locks.1.release().unwrap();
    assert!(threads.iter().all(|thread| thread.join(60).unwrap()));
}

/// `with lock:` in Python; each of the three ways to take a lock says where that was.
fn the_places_are_those_of_the_callers() {
    let (lock, data) = (Arc::new(Lock::new()), Arc::new(Mutex::new(0)));
    let condition = Arc::new(Condition::new(RLock::new().with_name("queue")));
    let all = Arc::new(Barrier::new(3).unwrap());
    let meet = move || assert!(all.wait(60).is_ok());
    let start = |f: Box<dyn FnOnce() + Send>| {
        let thread = Thread::new(f);
        thread.start().unwrap();
        thread
    };
    let (held, wanted, met) = (lock.clone(), condition.clone(), meet.clone());
    let first = start(Box::new(move || {
        let _held = held.lock();
        met();
        let _ = wanted.lock();
    }));
    let (held, wanted, met) = (condition, data.clone(), meet.clone());
    let second = start(Box::new(move || {
        held.with(|| {
            met();
            *wanted.lock() += 1;
        });
    }));
    let (held, wanted) = (data, lock.clone());
    let third = start(Box::new(move || {
        let _held = held.try_lock().expect("it is free");
        meet();
        wanted.with(|| ());
    }));
    wait_until("the circle to close", || !check().is_empty());
    for wait in check()[0].waits() {
        let text = wait.to_string();
        let here = text.matches(" at tests/threading_deadlock.rs:").count();
        assert_eq!(here, 2, "where it waits and where the holder is: {text}");
    }
    lock.release().unwrap();
    for thread in [first, second, third] {
        thread.join(60).unwrap();
        assert!(!thread.is_alive());
    }
}

/// A thread that waits for itself, until somebody releases the lock.
fn alone() -> (JoinHandle<()>, Arc<Lock>) {
    let lock = Arc::new(Lock::new());
    let theirs = lock.clone();
    let thread = std::thread::spawn(move || {
        theirs.acquire();
        theirs.acquire();
    });
    (thread, lock)
}

fn a_thread_that_waits_for_itself_is_named_though_hilos_did_not_start_it() {
    let (stuck, lock) = alone();
    wait_until("it to wait for itself", || !check().is_empty());
    let found = check();
    let [wait] = found[0].waits() else {
        panic!("one thread: {found:?}");
    };
    assert!(wait.thread().is_none() && wait.holder().is_none() && wait.lock_name().is_none());
    let text = found[0].to_string();
    assert!(
        text.starts_with("deadlock of 1 thread:\n  thread "),
        "{text}"
    );
    assert!(text.contains(" for the lock at 0x"), "{text}");
    lock.release().unwrap();
    stuck.join().unwrap();
    assert!(check().is_empty());
}

/// Two threads, each of which takes one of two locks and then waits for the other.
fn philosophers(locks: &Arc<(Lock, Lock)>) -> [Thread; 2] {
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
    [philosopher("Sócrates", false), philosopher("Platón", true)]
}

fn both_are_named(deadlock: &Deadlock) {
    let mut names: Vec<_> = deadlock
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
    let text = deadlock.to_string();
    assert!(text.starts_with("deadlock of 2 threads:\n"), "{text}");
    assert!(
        text.contains("Platón waits at tests/threading_deadlock.rs:"),
        "{text}"
    );
    assert!(
        text.contains(" for the lock \"forks\", which Sócrates acquired at "),
        "{text}"
    );
}

fn two_threads_and_two_locks_are_named() {
    let locks = Arc::new((
        Lock::new().with_name("forks"),
        Lock::new().with_name("knives"),
    ));
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let watcher = watch(0.001, move |deadlock| {
        tell.lock().push(deadlock.to_string())
    })
    .unwrap();
    let threads = philosophers(&locks);

    wait_until("the circle to close", || !check().is_empty());
    let found = check();
    assert_eq!(found.len(), 1);
    both_are_named(&found[0]);

    wait_until("the watcher to tell", || !told.lock().is_empty());
    // By the time that the watcher tells of another deadlock it has seen the first one again.
    let (alone, theirs) = alone();
    wait_until("the watcher to tell more", || told.lock().len() > 1);
    theirs.release().unwrap();
    alone.join().unwrap();
    // Any thread may release a lock: that undoes the knot.
    locks.0.release().unwrap();
    threads.iter().for_each(|thread| thread.join(60).unwrap());
    watcher.cancel();
    watcher.join(60).unwrap();
    let told = told.lock();
    assert_eq!(told.len(), 2, "each deadlock is told once: {told:?}");
    assert!(told[0].contains("Platón") && !told[1].contains("Platón"));
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
