//! What every executor does with calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hilos::concurrent::futures::{Executor, FutureError, RuntimeError, ThreadPoolExecutor};

use crate::backend::{Backend, WORKERS, divmod, for_each_backend, mul, poll_until};

for_each_backend!(
    a_submitted_call_returns
    a_call_has_its_arguments
    map_yields_results_in_order
    map_yields_an_error_in_its_place
    map_gives_up_after_its_timeout
    a_map_is_done_before_the_executor_is_shut_down
    a_failure_of_the_call_is_no_timeout
    a_map_needs_a_buffer
    a_buffered_map_yields_everything
    a_buffered_map_of_several_iterables
    a_buffered_map_of_an_infinite_iterable
    a_buffered_map_of_several_infinite_iterables
    a_buffered_map_of_nothing
    a_buffered_map_submits_only_as_many_as_fit
);

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_submit
fn a_submitted_call_returns<B: Backend>() {
    let executor = B::executor(WORKERS);
    let future = B::submit(&executor, |(x, y)| i32::pow(x, y), (2, 8)).unwrap();
    assert_eq!(future.result(None).unwrap(), 256);
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_submit_keyword
fn a_call_has_its_arguments<B: Backend>() {
    let executor = B::executor(WORKERS);
    let future = B::submit(&executor, mul, (2, 8)).unwrap();
    assert_eq!(future.result(None).unwrap(), 16);
    let arguments = (1, "self".to_owned(), vec![2, 3]);
    let future = B::submit(&executor, |arguments| arguments, arguments.clone()).unwrap();
    assert_eq!(future.result(None).unwrap(), arguments);
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map
fn map_yields_results_in_order<B: Backend>() {
    let executor = B::executor(WORKERS);
    let pairs: Vec<_> = (0..10).map(|n| (n, n)).collect();
    let squares = B::try_map(&executor, |pair| Ok(mul(pair)), pairs.clone()).unwrap();
    let squares: Vec<i32> = squares.map(Result::unwrap).collect();
    assert_eq!(squares, pairs.into_iter().map(mul).collect::<Vec<_>>());
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_exception
fn map_yields_an_error_in_its_place<B: Backend>() {
    let executor = B::executor(WORKERS);
    let pairs = vec![(1, 2), (1, 3), (1, 0), (1, 5)];
    let mut results = B::try_map(&executor, divmod, pairs).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), (0, 1));
    assert_eq!(results.next().unwrap().unwrap(), (0, 1));
    let error = results.next().unwrap().unwrap_err();
    assert!(matches!(&error, FutureError::Failed(_)), "{error:?}");
    assert_eq!(error.to_string(), "division by zero");
    // CPython does so from 3.16 on.
    assert_eq!(results.next().unwrap().unwrap(), (0, 1));
    assert!(results.next().is_none());
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_timeout
fn map_gives_up_after_its_timeout<B: Backend>() {
    let executor = B::executor(WORKERS);
    let (open, closed) = (B::gate(), B::gate());
    B::open(&open);
    let gates = vec![open.clone(), open, closed.clone(), closed.clone()];
    let mut results = B::try_map(&executor, |gate| Ok(B::pass(gate)), gates).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    assert_eq!(results.next().unwrap().unwrap(), 0);
    let mut results = results.with_timeout(0.01);
    assert!(results.next().unwrap().unwrap_err().is_timeout());
    assert!(results.next().is_none(), "it ends with the error");
    B::open(&closed);
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_shutdown_race_issue12456
fn a_map_is_done_before_the_executor_is_shut_down<B: Backend>() {
    let executor = B::executor(WORKERS);
    let items = vec![2; WORKERS + 1];
    let results = B::try_map(&executor, |n: i32| Ok(n.to_string()), items).unwrap();
    B::shutdown(&executor, true);
    assert!(results.with_timeout(0).all(|result| result.unwrap() == "2"));
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_timeout_from_callable
fn a_failure_of_the_call_is_no_timeout<B: Backend>() {
    let executor = B::executor(WORKERS);
    let call = |n| {
        if n == 1 {
            Err("TimeoutError".to_owned())
        } else {
            Ok(n)
        }
    };
    let mut results = B::try_map(&executor, call, vec![0, 1, 2])
        .unwrap()
        .with_timeout(60);
    assert_eq!(results.next().unwrap().unwrap(), 0);
    assert!(!results.next().unwrap().unwrap_err().is_timeout());
    assert_eq!(results.next().unwrap().unwrap(), 2);
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize_value_validation
fn a_map_needs_a_buffer<B: Backend>() {
    let executor = B::executor(WORKERS);
    let error = B::map_buffersize(&executor, |n| n, 0..4, 0).unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "ValueError: buffersize must be None or > 0"
    );
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize
fn a_buffered_map_yields_everything<B: Backend>() {
    let executor = B::executor(WORKERS);
    for buffersize in [1, 2, 4, 8] {
        let results = B::map_buffersize(&executor, |n| n * 10, 0..4, buffersize).unwrap();
        assert_eq!(
            results.map(Result::unwrap).collect::<Vec<i32>>(),
            [0, 10, 20, 30]
        );
    }
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize_on_multiple_iterables
fn a_buffered_map_of_several_iterables<B: Backend>() {
    let executor = B::executor(WORKERS);
    for buffersize in [1, 2, 4, 8] {
        let pairs = (0..4).zip(0..4);
        let results = B::map_buffersize(&executor, |(a, b)| a + b, pairs, buffersize).unwrap();
        assert_eq!(
            results.map(Result::unwrap).collect::<Vec<i32>>(),
            [0, 2, 4, 6]
        );
    }
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize_on_infinite_iterable
fn a_buffered_map_of_an_infinite_iterable<B: Backend>() {
    let executor = B::executor(WORKERS);
    let results = B::map_buffersize(&executor, |n| n * 10, 0.., 2).unwrap();
    assert_eq!(
        results.take(3).map(Result::unwrap).collect::<Vec<i32>>(),
        [0, 10, 20]
    );
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize_on_multiple_infinite_iterables
fn a_buffered_map_of_several_infinite_iterables<B: Backend>() {
    let executor = B::executor(WORKERS);
    let results = B::map_buffersize(&executor, |(a, b)| a + b, (0..).zip(0..), 2).unwrap();
    assert_eq!(
        results.take(3).map(Result::unwrap).collect::<Vec<i32>>(),
        [0, 2, 4]
    );
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize_on_empty_iterable
// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize_without_iterable
fn a_buffered_map_of_nothing<B: Backend>() {
    let executor = B::executor(WORKERS);
    let nothing = std::iter::empty::<i32>();
    assert!(
        B::map_buffersize(&executor, |n| n, nothing, 2)
            .unwrap()
            .next()
            .is_none()
    );
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_buffersize_when_buffer_is_full
fn a_buffered_map_submits_only_as_many_as_fit<B: Backend>() {
    let executor = B::executor(WORKERS);
    let fetched = Arc::new(AtomicUsize::new(0));
    let counter = fetched.clone();
    let items = (0..4).inspect(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let mut results = B::map_buffersize(&executor, |n| n, items, 2).unwrap();
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
    assert_eq!(results.next().unwrap().unwrap(), 0);
    assert_eq!(fetched.load(Ordering::SeqCst), 3);
    B::shutdown(&executor, true);
    // No more can be submitted: the results must not look complete.
    assert!(matches!(
        results.next(),
        Some(Err(FutureError::Runtime(RuntimeError::AfterShutdown)))
    ));
    assert!(results.next().is_none());
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_max_workers_negative
#[test]
fn an_executor_has_workers() {
    let error = ThreadPoolExecutor::new(0).unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "ValueError: max_workers must be greater than 0"
    );
}

/// Counts how many of its clones live.
#[derive(Clone, Default)]
struct Counted(Arc<()>);

impl Counted {
    fn others(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_no_stale_references
#[test]
fn what_a_call_owns_is_dropped_when_it_is_done() {
    let executor = ThreadPoolExecutor::new(WORKERS).unwrap();
    let object = Counted::default();
    let argument = object.clone();
    // Deliberately discarding the future.
    executor.submit(move || drop(argument.clone())).unwrap();
    poll_until(|| object.others() == 0);

    let argument = object.clone();
    let future = executor.submit(move || argument.others()).unwrap();
    assert_eq!(future.result(None).unwrap(), 1);
    assert_eq!(object.others(), 0, "before the result is there");
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_free_reference
#[test]
fn a_map_keeps_no_result() {
    let executor = ThreadPoolExecutor::new(WORKERS).unwrap();
    let objects = vec![Counted::default(); 10];
    let object = objects[0].clone();
    let mut left = 10;
    for result in executor.map(|object| object, objects).unwrap() {
        drop(result.unwrap());
        left -= 1;
        poll_until(|| object.others() == left);
    }
    assert_eq!(left, 0);
}

#[test]
fn a_function_may_be_generic_over_the_executor() {
    fn answer<E: Executor<fn() -> i32, Output = i32>>(executor: &E) -> i32 {
        let future = executor.submit(|| 42).unwrap();
        executor.shutdown(true);
        assert!(executor.submit(|| 43).is_err());
        future.result(0).unwrap()
    }
    assert_eq!(answer(&ThreadPoolExecutor::new(1).unwrap()), 42);
}
