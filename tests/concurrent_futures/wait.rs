//! `wait`.

use hilos::concurrent::futures::{
    ALL_COMPLETED, DoneAndNotDoneFutures, FIRST_COMPLETED, FIRST_EXCEPTION, Future, wait,
};

use crate::backend::{
    Backend, DEADLINE, Threads, WORKERS, divmod, fail, for_each_backend, mul, poll_until,
};
use crate::future::{cancelled, cancelled_and_notified, failed, pending, successful};

for_each_backend!(
    a_future_counts_once
    the_first_that_completes_is_enough
    one_that_is_completed_already_is_enough
    the_first_that_fails_is_enough
    a_failure_counts_after_others_are_done
    one_that_has_failed_already_is_enough
    all_are_waited_for
    a_timeout_ends_the_wait
);

#[track_caller]
fn check(found: DoneAndNotDoneFutures<i32>, done: &[&Future<i32>], not_done: &[&Future<i32>]) {
    assert_eq!(found.done.iter().collect::<Vec<_>>(), done);
    assert_eq!(found.not_done.iter().collect::<Vec<_>>(), not_done);
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_20369
fn a_future_counts_once<B: Backend>() {
    let executor = B::executor(WORKERS);
    let future = B::submit(&executor, mul, (6, 7)).unwrap();
    check(
        wait([&future, &future], None, ALL_COMPLETED),
        &[&future],
        &[],
    );
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_first_completed
fn the_first_that_completes_is_enough<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let cancelled = cancelled();
    let first = B::submit(&executor, mul, (21, 2)).unwrap();
    let second = B::submit(&executor, B::pass, gate.clone()).unwrap();
    let found = wait([&cancelled, &first, &second], None, FIRST_COMPLETED);
    check(found, &[&first], &[&cancelled, &second]);
    B::open(&gate);
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_first_completed_some_already_completed
fn one_that_is_completed_already_is_enough<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let (cancelled, successful) = (cancelled_and_notified(), successful());
    let blocked = B::submit(&executor, B::pass, gate.clone()).unwrap();
    let found = wait([&cancelled, &successful, &blocked], None, FIRST_COMPLETED);
    check(found, &[&cancelled, &successful], &[&blocked]);
    B::open(&gate);
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_first_exception
fn the_first_that_fails_is_enough<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let first = B::submit(&executor, mul, (2, 21)).unwrap();
    assert!(first.exception(None).unwrap().is_none());
    let second = B::try_submit(&executor, fail, "this is an exception".to_owned()).unwrap();
    let third = B::submit(&executor, B::pass, gate.clone()).unwrap();
    let found = wait([&first, &second, &third], None, FIRST_EXCEPTION);
    check(found, &[&first, &second], &[&third]);
    B::open(&gate);
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_first_exception_some_already_complete
fn a_failure_counts_after_others_are_done<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let (successful, cancelled, notified) = (successful(), cancelled(), cancelled_and_notified());
    let first = B::try_submit(&executor, |pair| Ok(divmod(pair)?.0), (21, 0)).unwrap();
    let second = B::submit(&executor, B::pass, gate.clone()).unwrap();
    let fs = [&successful, &cancelled, &notified, &first, &second];
    let found = wait(fs, None, FIRST_EXCEPTION);
    check(
        found,
        &[&successful, &notified, &first],
        &[&cancelled, &second],
    );
    B::open(&gate);
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_first_exception_one_already_failed
fn one_that_has_failed_already_is_enough<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let failed = failed();
    let blocked = B::submit(&executor, B::pass, gate.clone()).unwrap();
    check(
        wait([&failed, &blocked], None, FIRST_EXCEPTION),
        &[&failed],
        &[&blocked],
    );
    B::open(&gate);
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_all_completed
fn all_are_waited_for<B: Backend>() {
    let executor = B::executor(WORKERS);
    let fs = [
        successful(),
        cancelled_and_notified(),
        failed(),
        B::try_submit(&executor, |pair| Ok(divmod(pair)?.0), (2, 0)).unwrap(),
        B::submit(&executor, mul, (2, 21)).unwrap(),
    ];
    let found = wait(&fs, None, ALL_COMPLETED);
    assert_eq!(found.done, fs);
    assert!(found.not_done.is_empty());
    assert!(fs.iter().all(Future::done));
}

// cpython: test_concurrent_futures/test_wait.py::WaitTests::test_timeout
fn a_timeout_ends_the_wait<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let (cancelled, failed, successful) = (cancelled_and_notified(), failed(), successful());
    let blocked = B::submit(&executor, B::pass, gate.clone()).unwrap();
    for timeout in [-1.0, 0.0, 0.05] {
        let fs = [&cancelled, &failed, &successful, &blocked];
        let found = wait(fs, timeout, ALL_COMPLETED);
        check(found, &[&cancelled, &failed, &successful], &[&blocked]);
    }
    B::open(&gate);
}

// cpython: test_concurrent_futures/test_wait.py::ThreadPoolWaitTests::test_pending_calls_race
#[test]
fn futures_that_are_done_together_are_all_counted() {
    let executor = Threads::executor(WORKERS);
    let gate = Threads::gate();
    let submit = |_| Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    let fs: Vec<_> = (0..100).map(submit).collect();
    Threads::open(&gate);
    assert_eq!(wait(&fs, DEADLINE, ALL_COMPLETED).done, fs);
}

#[test]
fn a_cancelled_future_is_no_failure() {
    let (notified, pending) = (cancelled_and_notified(), pending());
    check(
        wait([&notified, &pending], 0, FIRST_EXCEPTION),
        &[&notified],
        &[&pending],
    );
}

#[test]
fn nothing_to_wait_for() {
    for return_when in [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED] {
        check(wait(Vec::<Future<i32>>::new(), None, return_when), &[], &[]);
    }
}

#[test]
fn a_cancellation_ends_the_wait_when_a_worker_comes_across_it() {
    let executor = Threads::executor(1);
    let gate = Threads::gate();
    let blocked = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    poll_until(|| blocked.running());
    let future = Threads::submit(&executor, mul, (6, 7)).unwrap();
    assert!(future.cancel());
    check(wait([&future], 0, ALL_COMPLETED), &[], &[&future]);
    Threads::open(&gate);
    check(wait([&future], DEADLINE, ALL_COMPLETED), &[&future], &[]);
}
