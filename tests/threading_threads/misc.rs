//! `MiscTestCase`.

use hilos::threading::{Thread, current_thread, get_native_id};

use crate::support::{run, waiting_thread};

// cpython: test_threading.py::MiscTestCase::test__all__
#[test]
fn every_type_can_be_shared_between_threads() {
    use hilos::threading::*;
    fn shared<T: Send + Sync>() {}
    shared::<(Thread, Timer, RepeatingTimer, Returning<i32>, Stop)>();
    shared::<(Lock, RLock, Condition, Condition<Lock>, Event, Barrier)>();
    shared::<(
        Semaphore,
        BoundedSemaphore,
        Mutex<i32>,
        RWLock<i32>,
        Local<i32>,
    )>();
    shared::<(
        Error,
        RuntimeError,
        ValueError,
        OverflowError,
        BrokenBarrierError,
        JoinError,
    )>();
    shared::<(
        ExceptHookArgs,
        Exception,
        Timeout,
        SerializeIterator<std::ops::Range<u8>>,
    )>();
}

/// What the system calls the current thread.
fn system_name() -> String {
    let path = format!("/proc/self/task/{}/comm", get_native_id());
    std::fs::read_to_string(path)
        .unwrap()
        .trim_end_matches('\n')
        .to_owned()
}

// cpython: test_threading.py::MiscTestCase::test_set_name
#[test]
fn the_system_shows_the_name_as_far_as_it_has_room() {
    for (name, shown) in [
        ("CustomName", "CustomName"),
        ("ñandú", "ñandú"),
        ("exactly fifteen", "exactly fifteen"),
        ("x is longer than that", "x is longer tha"),
        ("", ""),
    ] {
        let thread = Thread::returning(system_name).with_name(name);
        thread.start().unwrap();
        let seen = thread.join(None).unwrap();
        match name.is_empty() {
            // A nameless thread has its creator's name.
            true => assert!(!seen.is_empty()),
            false => assert_eq!(seen, shown),
        }
        assert_eq!(thread.name(), name);
    }
}

// cpython: test_threading.py::MiscTestCase::test_change_name
#[test]
fn a_thread_that_renames_itself_is_shown_so() {
    let thread = Thread::returning(|| {
        let before = system_name();
        current_thread().set_name("name 2");
        let after = system_name();
        current_thread().set_name("áéíóú áéíóú");
        (before, after, system_name())
    });
    let thread = thread.with_name("name 1");
    thread.start().unwrap();
    let (before, after, long) = thread.join(None).unwrap();
    assert_eq!((before.as_str(), after.as_str()), ("name 1", "name 2"));
    // Cut between two characters, not inside one.
    assert_eq!(long, "áéíóú áé");
    assert_eq!(thread.name(), "áéíóú áéíóú");
}

#[test]
fn another_threads_name_is_changed_here_alone() {
    let (thread, event) = waiting_thread();
    let thread = thread.with_name("before");
    thread.start().unwrap();
    thread.set_name("after");
    assert_eq!(thread.name(), "after");
    event.set();
    thread.join(None).unwrap();
    run(|| {
        assert!(
            std::thread::current()
                .name()
                .unwrap()
                .starts_with("Thread-")
        )
    });
}
