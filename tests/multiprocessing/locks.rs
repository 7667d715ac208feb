//! `Lock`, `RLock` and the semaphores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos::multiprocessing::{
    BoundedSemaphore, Error, Event, Lock, Process, RLock, Semaphore, StartMethod, Value,
    current_process,
};
use hilos::threading::Thread;

use crate::support::{LONG, each_start_method, run_to_end, wait_until};

// cpython: _test_multiprocessing.py::_TestLock::test_lock
#[test]
fn lock() {
    let lock = Lock::new().unwrap();
    lock.acquire().unwrap();
    assert!(lock.locked());
    assert!(!lock.try_acquire().unwrap());
    lock.release().unwrap();
    let error = lock.release().unwrap_err();
    assert!(matches!(error, Error::Value(_)));
    assert_eq!(
        error.to_string(),
        "semaphore or lock released too many times"
    );
}

// cpython: _test_multiprocessing.py::_TestLock::test_rlock
#[test]
fn rlock() {
    let lock = RLock::new().unwrap();
    for _ in 0..3 {
        lock.acquire().unwrap();
    }
    for _ in 0..3 {
        assert!(lock.locked());
        lock.release().unwrap();
    }
    assert!(!lock.locked());
    let error = lock.release().unwrap_err();
    assert!(matches!(error, Error::Assertion(_)));
    let text = "attempt to release recursive lock not owned by thread";
    assert_eq!(error.to_string(), text);
}

// cpython: _test_multiprocessing.py::_TestLock::test_lock_context
// cpython: _test_multiprocessing.py::_TestLock::test_rlock_context
#[test]
fn a_guard_holds_the_lock() {
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    {
        let _held = lock.lock().unwrap();
        let _held = rlock.lock().unwrap();
        assert!(lock.locked() && rlock.locked());
    }
    assert!(!lock.locked() && !rlock.locked());
    assert!(lock.with(|| lock.locked()).unwrap());
    assert!(!lock.locked());
}

fn hold_lock(lock: Lock, held: Event, go: Event) {
    lock.acquire().unwrap();
    held.set();
    go.wait(LONG);
    lock.release().unwrap();
}

fn hold_rlock(lock: RLock, held: Event, go: Event) {
    lock.acquire().unwrap();
    lock.acquire().unwrap();
    held.set();
    go.wait(LONG);
    lock.release().unwrap();
    lock.release().unwrap();
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestLock::test_lock_locked_2processes
    // cpython: _test_multiprocessing.py::_TestLock::test_repr_lock
    fn lock_in_two_processes(method: StartMethod) {
        let lock = Lock::new().unwrap();
        assert_eq!(lock.to_string(), "<Lock(owner=None)>");
        let (held, go) = (Event::new().unwrap(), Event::new().unwrap());
        let process = Process::new(hold_lock, (lock.clone(), held.clone(), go.clone()))
            .with_start_method(method);
        process.start().unwrap();
        assert!(held.wait(LONG));
        assert!(lock.locked());
        assert_eq!(lock.to_string(), "<Lock(owner=SomeOtherProcess)>");
        assert!(!lock.try_acquire().unwrap());
        assert!(!lock.acquire_timeout(0.02).unwrap());
        go.set();
        assert!(lock.acquire_timeout(LONG).unwrap());
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
        // The lock belongs to all: a process may release what this one acquired.
        let other = Process::new(|lock: Lock| lock.release().unwrap(), (lock.clone(),))
            .with_start_method(method);
        assert_eq!(run_to_end(&other), Some(0));
        assert!(!lock.locked());
    }

    // cpython: _test_multiprocessing.py::_TestLock::test_rlock_locked_2processes
    // cpython: _test_multiprocessing.py::_TestLock::test_repr_rlock
    fn rlock_in_two_processes(method: StartMethod) {
        let lock = RLock::new().unwrap();
        assert_eq!(lock.to_string(), "<RLock(None, 0)>");
        let (held, go) = (Event::new().unwrap(), Event::new().unwrap());
        let process = Process::new(hold_rlock, (lock.clone(), held.clone(), go.clone()))
            .with_start_method(method);
        process.start().unwrap();
        assert!(held.wait(LONG));
        assert!(lock.locked());
        assert_eq!(lock.to_string(), "<RLock(SomeOtherProcess, nonzero)>");
        assert!(!lock.try_acquire().unwrap());
        assert!(matches!(lock.release(), Err(Error::Assertion(_))));
        go.set();
        assert!(lock.acquire_timeout(LONG).unwrap());
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
    }

    fn a_lock_keeps_processes_apart(method: StartMethod) {
        fn add(lock: Lock, counter: hilos::multiprocessing::RawValue<u64>) {
            for _ in 0..2_000 {
                let _held = lock.lock().unwrap();
                let value = counter.get();
                std::hint::black_box(value);
                counter.set(value + 1);
            }
        }
        let lock = Lock::new().unwrap();
        let counter = hilos::multiprocessing::RawValue::new(0).unwrap();
        let processes: Vec<_> = (0..4)
            .map(|_| Process::new(add, (lock.clone(), counter.clone())).with_start_method(method))
            .collect();
        processes.iter().for_each(|process| process.start().unwrap());
        processes.iter().for_each(|process| process.join(LONG).unwrap());
        assert_eq!(counter.get(), 8_000);
    }
}

#[test]
fn locks_show_their_owner() {
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    let (theirs, their_rlock) = (lock.clone(), rlock.clone());
    let thread = Thread::returning(move || {
        theirs.acquire().unwrap();
        their_rlock.acquire().unwrap();
        let seen = (theirs.to_string(), their_rlock.to_string());
        their_rlock.release().unwrap();
        seen
    })
    .with_name("T1");
    thread.start().unwrap();
    let (lock_seen, rlock_seen) = thread.join(None).unwrap();
    let me = current_process().name().to_string();
    assert_eq!(lock_seen, format!("<Lock(owner={me}|T1)>"));
    assert_eq!(rlock_seen, format!("<RLock({me}|T1, 1)>"));
    assert_eq!(lock.to_string(), "<Lock(owner=SomeOtherThread)>");
    lock.release().unwrap();
}

fn check_two(semaphore: &Semaphore) {
    assert_eq!(semaphore.get_value(), 2);
    semaphore.acquire().unwrap();
    assert_eq!(semaphore.get_value(), 1);
    semaphore.acquire().unwrap();
    assert_eq!(semaphore.get_value(), 0);
    assert!(semaphore.locked());
    assert!(!semaphore.try_acquire().unwrap());
    assert_eq!(semaphore.get_value(), 0);
    semaphore.release().unwrap();
    assert_eq!(semaphore.get_value(), 1);
    semaphore.release().unwrap();
    assert_eq!(semaphore.get_value(), 2);
}

// cpython: _test_multiprocessing.py::_TestSemaphore::test_semaphore
#[test]
fn semaphore() {
    let semaphore = Semaphore::new(2).unwrap();
    check_two(&semaphore);
    semaphore.release().unwrap();
    assert_eq!(semaphore.get_value(), 3);
    semaphore.release().unwrap();
    assert_eq!(semaphore.to_string(), "<Semaphore(value=4)>");
    semaphore
        .with(|| assert_eq!(semaphore.get_value(), 3))
        .unwrap();
    assert!(matches!(Semaphore::new(1 << 31), Err(Error::Value(_))));
}

// cpython: _test_multiprocessing.py::_TestSemaphore::test_bounded_semaphore
#[test]
fn bounded_semaphore() {
    let semaphore = BoundedSemaphore::new(2).unwrap();
    check_two(&semaphore);
    assert!(matches!(semaphore.release(), Err(Error::Value(_))));
    assert_eq!(semaphore.get_value(), 2);
    let text = "<BoundedSemaphore(value=2, maxvalue=2)>";
    assert_eq!(semaphore.to_string(), text);
}

// cpython: _test_multiprocessing.py::_TestSemaphore::test_timeout
#[test]
fn a_semaphore_gives_up_in_time() {
    let semaphore = Semaphore::new(0).unwrap();
    assert!(!semaphore.try_acquire().unwrap());
    assert!(!semaphore.acquire_timeout(-1).unwrap());
    for timeout in [0.02, 0.15] {
        let start = Instant::now();
        assert!(!semaphore.acquire_timeout(timeout).unwrap());
        assert!(start.elapsed() >= Duration::from_secs_f64(timeout));
    }
}

each_start_method! {
    fn a_semaphore_counts_for_all_processes(method: StartMethod) {
        fn take(semaphore: Semaphore, inside: Value<i32>, most: Value<i32>) {
            for _ in 0..200 {
                let _place = semaphore.lock().unwrap();
                let now = inside.update(|n| { *n += 1; *n }).unwrap();
                most.update(|n| *n = now.max(*n)).unwrap();
                inside.update(|n| *n -= 1).unwrap();
            }
        }
        let semaphore = Semaphore::new(2).unwrap();
        let (inside, most) = (Value::new(0).unwrap(), Value::new(0).unwrap());
        let processes: Vec<_> = (0..4)
            .map(|_| {
                let args = (semaphore.clone(), inside.clone(), most.clone());
                Process::new(take, args).with_start_method(method)
            })
            .collect();
        processes.iter().for_each(|process| process.start().unwrap());
        processes.iter().for_each(|process| process.join(LONG).unwrap());
        assert_eq!(inside.get().unwrap(), 0);
        assert!(most.get().unwrap() <= 2);
        assert_eq!(semaphore.get_value(), 2);
    }
}

#[test]
fn a_release_lets_a_waiting_process_go_on() {
    let (semaphore, done) = (Semaphore::new(0).unwrap(), Event::new().unwrap());
    let wait = |semaphore: Semaphore, done: Event| {
        semaphore.acquire().unwrap();
        done.set();
    };
    let process = Process::new(wait, (semaphore.clone(), done.clone()));
    process.start().unwrap();
    assert!(!done.wait(0.02));
    semaphore.release().unwrap();
    assert!(done.wait(LONG));
    wait_until("the value is taken", || semaphore.get_value() == 0);
    process.join(LONG).unwrap();
}

#[test]
fn a_lock_cannot_be_serialised_elsewhere() {
    fn travels<T: serde::Serialize>(value: &T) -> Result<(), Error> {
        let queue = hilos::multiprocessing::Queue::new(0)?;
        queue.put(value)
    }
    let error = travels(&Lock::new().unwrap()).unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }));
    assert!(
        error
            .to_string()
            .contains("pass it as an argument of a process")
    );
}

#[test]
fn threads_that_come_at_once_are_one_holder() {
    const THREADS: usize = 4;
    let semaphore = |_| Semaphore::new(THREADS).unwrap();
    let semaphores: Vec<_> = (0..100).map(semaphore).collect();
    let start = Arc::new(hilos::threading::Barrier::new(THREADS).unwrap());
    let threads = [(); THREADS].map(|()| {
        let (semaphores, start) = (semaphores.clone(), start.clone());
        Thread::returning(move || {
            for semaphore in semaphores {
                start.wait(None).unwrap();
                semaphore.acquire().unwrap();
            }
        })
    });
    threads.iter().for_each(|thread| thread.start().unwrap());
    threads
        .into_iter()
        .for_each(|thread| thread.join(None).unwrap());
    for semaphore in &semaphores {
        (0..THREADS).for_each(|_| semaphore.release().unwrap());
    }
    // Each release belonged to an acquire: the semaphores still watch over who holds them.
    let hold = |semaphores: Vec<Semaphore>| {
        for semaphore in semaphores {
            (0..THREADS).for_each(|_| semaphore.acquire().unwrap());
        }
    };
    let holder = Process::new(hold, (semaphores.clone(),));
    assert_eq!(run_to_end(&holder), Some(0));
    for semaphore in semaphores {
        assert!(matches!(semaphore.try_acquire(), Err(Error::OwnerDied(_))));
    }
}
