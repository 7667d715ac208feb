//! `as_completed`.

use std::sync::Arc;

use hilos::concurrent::futures::{Future, as_completed};

use crate::backend::{Backend, WORKERS, for_each_backend, mul};
use crate::future::{cancelled, cancelled_and_notified, failed, pending, running, successful};

for_each_backend!(
    every_future_is_yielded
    what_is_not_done_in_time_is_not_yielded
    a_future_is_yielded_once
);

// cpython: test_concurrent_futures/test_as_completed.py::AsCompletedTests::test_no_timeout
fn every_future_is_yielded<B: Backend>() {
    let executor = B::executor(WORKERS);
    let fs = [
        cancelled_and_notified(),
        failed(),
        successful(),
        B::submit(&executor, mul, (2, 21)).unwrap(),
        B::submit(&executor, mul, (7, 6)).unwrap(),
    ];
    let completed: Vec<_> = as_completed(&fs, None).map(Result::unwrap).collect();
    assert_eq!(completed.len(), fs.len());
    assert!(fs.iter().all(|future| completed.contains(future)));
}

// cpython: test_concurrent_futures/test_as_completed.py::AsCompletedTests::test_future_times_out
fn what_is_not_done_in_time_is_not_yielded<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let future = B::submit(&executor, B::pass, gate.clone()).unwrap();
    for timeout in [-1.0, 0.0, 0.01] {
        let done = [cancelled_and_notified(), failed(), successful()];
        let mut completed = as_completed(done.iter().chain([&future]), timeout);
        let yielded: Vec<_> = completed.by_ref().map_while(Result::ok).collect();
        assert_eq!(yielded, done);
        assert!(completed.next().is_none(), "it ends with the error");
    }
    B::open(&gate);
}

// cpython: test_concurrent_futures/test_as_completed.py::AsCompletedTests::test_duplicate_futures
fn a_future_is_yielded_once<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let future = B::submit(&executor, B::pass, gate.clone()).unwrap();
    let completed = as_completed(std::iter::repeat_n(future, 3), None);
    B::open(&gate);
    assert_eq!(completed.count(), 1);
}

// cpython: test_concurrent_futures/test_as_completed.py::AsCompletedTests::test_free_reference_yielded_future
#[test]
fn a_yielded_future_is_not_kept() {
    // A future owns its result: whether the last handle is gone can be seen by that.
    let completed_with = |future: &Future<Arc<()>>| {
        let object = Arc::new(());
        future.set_result(object.clone()).unwrap();
        Arc::downgrade(&object)
    };
    let mut fs: Vec<Future<Arc<()>>> = (0..4).map(|_| Future::new()).collect();
    let mut objects: Vec<_> = fs[2..].iter().map(completed_with).collect();

    let mut completed = as_completed(&fs, 0);
    for object in &objects {
        let future = completed.next().unwrap().unwrap();
        fs.retain(|other| *other != future);
        assert!(object.upgrade().is_some());
        drop(future);
        assert!(object.upgrade().is_none());
    }
    assert!(completed.next().unwrap().is_err());

    objects.clear();
    let mut completed = as_completed(&fs, None);
    for future in fs.drain(..) {
        let object = completed_with(&future);
        drop(future);
        drop(completed.next().unwrap().unwrap());
        assert!(object.upgrade().is_none());
    }
    assert!(completed.next().is_none());
}

// cpython: test_concurrent_futures/test_as_completed.py::AsCompletedTests::test_correct_timeout_exception_msg
#[test]
fn the_timeout_error_counts_the_futures() {
    let fs = [cancelled_and_notified(), pending(), running(), successful()];
    let error = as_completed(&fs, 0).find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), "2 (of 4) futures unfinished");
    assert_eq!(
        format!("{error:?}"),
        "TimeoutError: 2 (of 4) futures unfinished"
    );
}

#[test]
fn futures_are_yielded_in_the_order_in_which_they_are_done() {
    let fs = [pending(), pending(), successful(), pending()];
    let mut completed = as_completed(&fs, None);
    assert_eq!(completed.next().unwrap().unwrap(), fs[2]);
    for future in [&fs[3], &fs[0], &fs[1]] {
        future.set_result(0).unwrap();
    }
    let rest: Vec<_> = completed.map(Result::unwrap).collect();
    assert_eq!(rest, [fs[3].clone(), fs[0].clone(), fs[1].clone()]);
}

#[test]
fn a_cancelled_future_is_done_when_its_executor_knows() {
    let future = cancelled();
    let mut completed = as_completed([&future], 0);
    assert!(completed.next().unwrap().is_err());
    let mut completed = as_completed([&future], None);
    assert!(!future.set_running_or_notify_cancel().unwrap());
    assert_eq!(completed.next().unwrap().unwrap(), future);
}
