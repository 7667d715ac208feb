//! Queues that are closed.

use hilos::multiprocessing::{Error, JoinableQueue, Process, Queue, SimpleQueue};

use crate::support::run_to_end;

// cpython: _test_multiprocessing.py::_TestQueue::test_closed_queue_empty_exceptions
#[test]
fn a_closed_queue_still_tells_whether_it_is_empty() {
    let queue = Queue::new(0).unwrap();
    assert!(matches!(queue.join_thread(), Err(Error::Assertion(_))));
    queue.put(&1).unwrap();
    queue.close();
    queue.join_thread().unwrap();
    assert!(!queue.empty());
    let queue = JoinableQueue::<i32>::new(0).unwrap();
    queue.close();
    queue.join_thread().unwrap();
    queue.cancel_join_thread();
    assert!(queue.empty());
}

// cpython: _test_multiprocessing.py::_TestQueue::test_closed_queue_put_get_exceptions
#[test]
fn a_closed_queue_is_not_used() {
    let queue = Queue::new(0).unwrap();
    let clone = queue.clone();
    queue.close();
    let error = clone.put(&1).unwrap_err();
    assert!(matches!(error, Error::Value(_)));
    assert!(error.to_string().ends_with(" is closed"), "{error}");
    assert!(clone.get().unwrap_err().to_string().ends_with(" is closed"));
    let queue = JoinableQueue::new(0).unwrap();
    queue.close();
    assert!(matches!(queue.put(&1), Err(Error::Value(_))));
    assert!(matches!(queue.get(), Err(Error::Value(_))));
}

#[test]
fn close_is_of_one_process() {
    let queue = Queue::new(0).unwrap();
    let child = |queue: Queue<i32>| {
        queue.put(&1).unwrap();
        queue.close();
        assert!(queue.put(&2).is_err());
    };
    assert_eq!(run_to_end(&Process::new(child, (queue.clone(),))), Some(0));
    assert_eq!(queue.get().unwrap(), 1);
    queue.put(&3).unwrap();
}

// cpython: _test_multiprocessing.py::TestSimpleQueue::test_empty_exceptions
// cpython: _test_multiprocessing.py::TestSimpleQueue::test_close
// cpython: _test_multiprocessing.py::TestSimpleQueue::test_closed
#[test]
fn a_closed_simple_queue_is_not_used() {
    let queue = SimpleQueue::new().unwrap();
    queue.close();
    queue.close();
    for error in [
        queue.empty().unwrap_err(),
        queue.put(&1).unwrap_err(),
        queue.get().unwrap_err(),
    ] {
        assert!(matches!(error, Error::Os(_)));
        assert!(error.to_string().contains("is closed"));
    }
}
