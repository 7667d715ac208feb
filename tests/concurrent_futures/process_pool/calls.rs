//! Calls that run in processes: what they are given and what comes back.

use std::error::Error as _;

use hilos::concurrent::futures::{
    Exception, Future, FutureError, ProcessPoolExecutor, RemoteError, ValueError,
};
use hilos::multiprocessing::{Event, StartMethod};

use super::executor;
use crate::backend::{DEADLINE, for_each_start_method};

for_each_start_method!(
    map_takes_items_in_chunks
    an_exception_has_its_remote_traceback
    an_argument_is_dropped_before_the_future_is_done
);

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_map_chunksize
fn map_takes_items_in_chunks(method: StartMethod) {
    let executor = executor(method);
    let square = |n: u64| n * n;
    let expected: Vec<u64> = (0..40).map(square).collect();
    for chunksize in [1, 6, 40, 50] {
        let results = executor.map_chunksize(square, 0..40, chunksize).unwrap();
        let results: Vec<u64> = results.map(Result::unwrap).collect();
        assert_eq!(results, expected, "chunks of {chunksize}");
    }
    let error = executor.map_chunksize(square, 0..40, 0).unwrap_err();
    assert!(matches!(error, FutureError::Value(ValueError::ChunkSize)));
    assert_eq!(error.to_string(), "chunksize must be >= 1.");
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_traceback
fn an_exception_has_its_remote_traceback(method: StartMethod) {
    fn exception(future: &Future<i32>) -> Exception {
        match future.result(DEADLINE) {
            Err(FutureError::Failed(exception)) => exception,
            other => panic!("it has not failed: {other:?}"),
        }
    }
    let executor = executor(method);
    let parse = |text: String| text.parse::<i32>();
    let future = executor
        .try_submit(parse, ("no number".to_string(),))
        .unwrap();
    let error = exception(&future);
    assert_eq!(error.type_name(), "ParseIntError");
    assert_eq!(error.to_string(), "invalid digit found in string");

    let future = executor.submit(|| -> i32 { panic!("123") }, ()).unwrap();
    let error = exception(&future);
    assert_eq!(error.to_string(), "123");
    let error = error.error().unwrap();
    let remote: &RemoteError = error.downcast_ref().unwrap();
    assert!(remote.failure().place().unwrap().contains("calls.rs"));
    let traceback = remote.source().unwrap().to_string();
    assert!(traceback.contains("calls.rs"), "{traceback}");
}

/// Sets an event when it is dropped.
#[derive(serde::Serialize, serde::Deserialize)]
struct Eventful(Event);

impl Drop for Eventful {
    fn drop(&mut self) {
        self.0.set();
    }
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_ressources_gced_in_workers
fn an_argument_is_dropped_before_the_future_is_done(method: StartMethod) {
    let executor = executor(method);
    let event = Event::new().unwrap();
    let argument = Eventful(event.clone());
    let future = executor
        .submit(|argument: Eventful| argument.0.is_set(), (argument,))
        .unwrap();
    event.clear();
    future.result(DEADLINE).unwrap();
    assert!(event.is_set());
}

#[test]
fn a_handle_travels_with_a_call() {
    let executor = ProcessPoolExecutor::new(2).unwrap();
    let queue = hilos::multiprocessing::Queue::new(0).unwrap();
    let put = |queue: hilos::multiprocessing::Queue<i32>, item: i32| queue.put(&item).unwrap();
    executor
        .submit(put, (queue.clone(), 7))
        .unwrap()
        .result(DEADLINE)
        .unwrap();
    assert_eq!(queue.get_nowait().unwrap(), 7);
}

#[test]
fn the_trait_runs_calls_in_processes() {
    use hilos::concurrent::futures::Executor;
    fn pid<E: Executor<(fn() -> u32, ()), Output = u32>>(executor: &E) -> u32 {
        executor
            .submit((std::process::id, ()))
            .unwrap()
            .result(DEADLINE)
            .unwrap()
    }
    let _ = pid::<ProcessPoolExecutor>;
    let executor = ProcessPoolExecutor::new(1).unwrap();
    let future = Executor::submit(&executor, (std::process::id, ())).unwrap();
    assert_ne!(future.result(DEADLINE).unwrap(), std::process::id());
    Executor::<(fn(), ())>::shutdown(&executor, true);
}

#[test]
fn a_closed_map_gives_nothing_more() {
    let executor = executor(StartMethod::Spawn);
    let mut results = executor.map_chunksize(|n: u64| n, 0..9, 3).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    results.close();
    assert!(results.next().is_none());
}
