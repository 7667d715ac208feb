//! Queues, and Python's recipe of a remote one.

use hilos::multiprocessing::managers::{QueueProxy, RemoteError};
use hilos::pickle::Object;
use hilos::threading::Thread;

use super::server::{Python, with_all, with_newest};
use crate::support::LONG;

#[test]
fn a_queue_does_what_a_queue_does() {
    with_all(|manager| {
        let queue = manager.queue::<i64>(2).unwrap();
        assert!(queue.empty().unwrap() && !queue.full().unwrap());
        queue.put(1).unwrap();
        queue.put_nowait(2).unwrap();
        assert!(queue.full().unwrap() && queue.qsize().unwrap() == 2);
        assert!(matches!(queue.put_nowait(3), Err(RemoteError::Full)));
        assert!(matches!(queue.put_timeout(3, 0.01), Err(RemoteError::Full)));
        assert_eq!((queue.get().unwrap(), queue.get_nowait().unwrap()), (1, 2));
        assert!(matches!(queue.get_timeout(0.01), Err(RemoteError::Empty)));
        let negative = queue.get_timeout(-1).unwrap_err();
        assert_eq!(
            format!("{negative:?}"),
            "ValueError: 'timeout' must be a non-negative number"
        );
    });
}

// cpython: _test_multiprocessing.py::TestManagerExceptions::test_queue_get
#[test]
fn an_empty_queue_says_so() {
    with_all(|manager| {
        let queue = manager.queue::<Object>(0).unwrap();
        assert!(matches!(queue.get_nowait(), Err(RemoteError::Empty)));
    });
}

#[test]
fn a_queue_counts_tasks() {
    with_all(|manager| {
        let queue = manager.joinable_queue::<i64>(0).unwrap();
        queue.put(1).unwrap();
        let theirs = queue.clone();
        let worker = Thread::new(move || {
            theirs.get().unwrap();
            theirs.task_done().unwrap();
        });
        worker.start().unwrap();
        queue.join().unwrap();
        worker.join(LONG).unwrap();
        let error = queue.task_done().unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "ValueError: task_done() called too many times"
        );
    });
}

#[test]
fn a_queue_is_shut_down() {
    with_newest(|manager| {
        let queue = manager.queue::<i64>(0).unwrap();
        queue.put(1).unwrap();
        match queue.shutdown(false) {
            Ok(()) => {
                assert!(matches!(queue.put(2), Err(RemoteError::ShutDown)));
                assert_eq!(queue.get().unwrap(), 1);
                assert!(matches!(queue.get(), Err(RemoteError::ShutDown)));
            }
            // It came with 3.13.
            Err(RemoteError::Traceback(text)) => assert!(text.contains("shutdown"), "{text}"),
            Err(error) => panic!("{error:?}"),
        }
    });
}

#[test]
fn what_a_call_may_take_is_a_limit_of_get_and_put() {
    with_newest(|manager| {
        let queue = manager.queue::<i64>(1).unwrap();
        let hasty = queue.with_timeout(0.2);
        assert!(matches!(hasty.get(), Err(RemoteError::Empty)));
        queue.put(1).unwrap();
        assert!(matches!(hasty.put(2), Err(RemoteError::Full)));
        // Nobody in the server still waits to take it.
        assert_eq!(queue.get().unwrap(), 1);
    });
}

// cpython: _test_multiprocessing.py::_TestRemoteManager::test_remote
#[test]
fn two_programs_share_a_queue_over_the_network() {
    let Some(server) = Python::start_inet() else {
        return;
    };
    let values = ["hello world", "hall\u{e5} v\u{e4}rlden", "привіт світ"];
    let tuple = Object::from((values[0], Object::None, true, 2.25, values[1], values[2]));
    let manager = server.connect();
    let shared = ("queue", "Queue");
    let queue = QueueProxy::<Object>::from(manager.create("shared", shared).unwrap());
    let other = server.connect();
    let theirs = QueueProxy::<Object>::from(other.create("shared", shared).unwrap());
    theirs.put(&tuple).unwrap();
    theirs.put(Object::from(&b"bytes"[..])).unwrap();
    drop(theirs);
    assert_eq!(queue.get().unwrap(), tuple);
    assert_eq!(queue.get().unwrap(), Object::from(&b"bytes"[..]));
}
