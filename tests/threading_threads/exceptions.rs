//! `ThreadingExceptionTests`.

use hilos::threading::{Error, RuntimeError, Thread, current_thread};

use crate::support::{LONG, run, waiting_thread};

// cpython: test_threading.py::ThreadingExceptionTests::test_start_thread_again
#[test]
fn starting_twice_is_refused() {
    let (thread, event) = waiting_thread();
    thread.start().unwrap();
    for _ in 0..2 {
        let Error::Runtime(refused) = thread.start().unwrap_err() else {
            panic!()
        };
        assert!(matches!(refused, RuntimeError::StartedTwice));
        assert_eq!(
            format!("{refused:?}"),
            "RuntimeError: threads can only be started once"
        );
        assert!(thread.is_alive());
    }
    event.set();
    thread.join(LONG).unwrap();
    assert!(thread.start().is_err(), "also when it has ended");
}

// cpython: test_threading.py::ThreadingExceptionTests::test_joining_current_thread
#[test]
fn joining_oneself_is_refused() {
    run(|| {
        let Error::Runtime(refused) = current_thread().join(None).unwrap_err() else {
            panic!()
        };
        assert!(matches!(refused, RuntimeError::JoinCurrent));
        assert_eq!(refused.to_string(), "cannot join current thread");
        assert!(current_thread().join(0).is_err());
    });
}

// cpython: test_threading.py::ThreadingExceptionTests::test_joining_inactive_thread
#[test]
fn joining_before_the_start_is_refused() {
    let thread = Thread::new(|| ());
    let Error::Runtime(refused) = thread.join(None).unwrap_err() else {
        panic!()
    };
    assert!(matches!(refused, RuntimeError::JoinBeforeStart));
    assert_eq!(
        refused.to_string(),
        "cannot join thread before it is started"
    );
    thread.start().unwrap();
    thread.join(None).unwrap();
}

// cpython: test_threading.py::ThreadingExceptionTests::test_daemonize_active_thread
#[test]
fn a_running_thread_stays_what_it_is() {
    let (thread, event) = waiting_thread();
    let thread = thread.with_daemon(true);
    thread.start().unwrap();
    let refused = thread.set_daemon(false).unwrap_err();
    assert!(matches!(refused, RuntimeError::DaemonOfActive));
    assert_eq!(
        refused.to_string(),
        "cannot set daemon status of active thread"
    );
    assert!(thread.clone().with_daemon(false).daemon());
    event.set();
    thread.join(LONG).unwrap();
    assert!(thread.set_daemon(false).is_err());
}
