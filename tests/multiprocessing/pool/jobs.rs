//! `_TestPool` and `_TestPoolWorkerErrors`: jobs, maps, and how they fail.

use std::time::Duration;

use hilos::multiprocessing::StartMethod;
use hilos::multiprocessing::pool::{JobError, Pool};

use super::{Directory, Refuses, pool, square};
use crate::support::LONG;

// cpython: _test_multiprocessing.py::_TestPool::test_apply
// cpython: _test_multiprocessing.py::_TestPool::test_make_pool
#[test]
fn apply_in_each_start_method() {
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let pool = Pool::builder()
            .processes(2)
            .start_method(method)
            .build()
            .unwrap();
        assert_eq!(pool.apply(square, (5,)), Ok(25));
        assert_eq!(
            pool.apply(|a: i64, b: String| format!("{a}{b}"), (1, "x".into())),
            Ok("1x".into())
        );
        assert_ne!(pool.apply(std::process::id, ()), Ok(std::process::id()));
    }
    let refused = Pool::new(0).unwrap_err();
    assert_eq!(
        format!("{refused:?}"),
        "ValueError: Number of processes must be at least 1"
    );
}

// cpython: _test_multiprocessing.py::_TestPool::test_map
// cpython: _test_multiprocessing.py::_TestPool::test_map_chunksize
// cpython: _test_multiprocessing.py::_TestPool::test_empty_iterable
#[test]
fn map_keeps_the_order() {
    let pool = pool();
    let expected: Vec<i64> = (0..100).map(square).collect();
    assert_eq!(pool.map(square, 0..100).unwrap(), expected);
    for chunksize in [1, 7, 100, 1000] {
        assert_eq!(
            pool.with_chunksize(chunksize).map(square, 0..100).unwrap(),
            expected
        );
    }
    assert_eq!(pool.map(square, []), Ok(vec![]));
    assert_eq!(pool.with_chunksize(1).map(square, []), Ok(vec![]));
    assert_eq!(pool.imap(square, []).count(), 0);
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_async
// cpython: _test_multiprocessing.py::_TestPool::test_async
#[test]
fn results_come_later() {
    let pool = pool();
    let map = pool.map_async(square, 0..10).unwrap();
    let job = pool.apply_async(square, (7,)).unwrap();
    assert_eq!(
        map.get(LONG).unwrap(),
        (0..10).map(square).collect::<Vec<_>>()
    );
    assert_eq!(job.get(LONG), Ok(49));
    assert!(job.ready() && job.successful().unwrap());
    assert_eq!(job.get(LONG), Err(JobError::Taken));
}

// cpython: _test_multiprocessing.py::_TestPool::test_async_timeout
#[test]
fn a_result_that_is_not_there_in_time() {
    fn forever() {
        std::thread::sleep(Duration::from_secs_f64(2.0 * LONG));
    }
    let pool = pool();
    let job = pool.apply_async(forever, ()).unwrap();
    assert_eq!(job.get(0.05), Err(JobError::NotReady));
    assert_eq!(
        format!("{:?}", job.successful().unwrap_err()),
        "TimeoutError: the result is not ready"
    );
    assert!(!job.wait(-1) && !job.ready());
    pool.terminate();
    assert_eq!(job.get(LONG), Err(JobError::Terminated));
}

// cpython: _test_multiprocessing.py::_TestPool::test_imap_handle_iterable_exception
// cpython: _test_multiprocessing.py::_TestPool::test_imap_unordered_handle_iterable_exception
// cpython: _test_multiprocessing.py::_TestPool::test_map_handle_iterable_exception
#[test]
fn a_panic_of_the_iterator_is_the_callers() {
    fn items() -> impl Iterator<Item = i64> {
        (0..10).inspect(|item| assert_ne!(*item, 5, "somebody set us up the bomb"))
    }
    let pool = pool();
    let caught = |f: &dyn Fn()| {
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
        payload
            .downcast_ref::<String>()
            .unwrap()
            .contains("set us up")
    };
    assert!(caught(&|| drop(pool.map(square, items()))));
    assert!(caught(&|| drop(
        pool.imap(square, items()).collect::<Vec<_>>()
    )));
    assert!(caught(&|| drop(
        pool.imap_unordered(square, items()).collect::<Vec<_>>()
    )));
    assert_eq!(pool.apply(square, (3,)), Ok(9));
}

// cpython: _test_multiprocessing.py::_TestPool::test_traceback
// cpython: _test_multiprocessing.py::_TestPool::test_wrapped_exception
#[test]
fn a_panic_in_a_job_arrives_with_its_place() {
    let Err(JobError::Failed(failure)) = pool().apply(|| -> i64 { panic!("123") }, ()) else {
        panic!("it panicked");
    };
    assert_eq!((failure.type_name(), failure.message()), ("panic", "123"));
    assert!(
        failure
            .place()
            .unwrap()
            .contains("tests/multiprocessing/pool/jobs.rs")
    );
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_no_failfast
#[test]
fn every_item_is_run_though_the_first_has_failed() {
    fn write(path: String) {
        assert!(!path.is_empty(), "the first item");
        std::fs::write(path, "done").unwrap();
    }
    let directory = Directory::new("failfast");
    let paths: Vec<String> = (0..20)
        .map(|number| directory.path(&number.to_string()))
        .collect();
    let items = [String::new()].into_iter().chain(paths.clone());
    let Err(JobError::Failed(failure)) = pool().with_chunksize(1).map(write, items) else {
        panic!()
    };
    assert!(failure.message().contains("the first item"));
    assert!(paths.iter().all(|path| std::path::Path::new(path).exists()));
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_unplicklable
#[test]
fn an_argument_that_cannot_travel_is_an_error() {
    let pool = pool();
    let Err(JobError::Encoding(reason)) = pool.map(|_: Refuses| (), [Refuses]) else {
        panic!()
    };
    assert!(reason.contains("Refuses"), "{reason}");
    assert_eq!(pool.apply(square, (2,)), Ok(4));
}

// cpython: _test_multiprocessing.py::_TestPoolWorkerErrors::test_unpickleable_result
#[test]
fn a_result_that_cannot_travel_fails_its_job_alone() {
    let pool = Pool::new(2).unwrap();
    for _ in 0..20 {
        let Err(JobError::Failed(failure)) = pool.apply(|| Refuses, ()) else {
            panic!()
        };
        assert_eq!(failure.type_name(), "MaybeEncodingError");
    }
    assert_eq!(pool.apply(square, (2,)), Ok(4));
}

// cpython: _test_multiprocessing.py::_TestPool::test_starmap
// cpython: _test_multiprocessing.py::_TestPool::test_starmap_async
#[test]
fn starmap_passes_each_tuple_as_arguments() {
    fn product(a: i64, b: i64) -> i64 {
        a * b
    }
    let pool = pool();
    let tuples: Vec<(i64, i64)> = (0..100).map(|n| (n, n + 1)).collect();
    let expected: Vec<i64> = (0..100).map(|n| n * (n + 1)).collect();
    assert_eq!(pool.starmap(product, tuples.clone()).unwrap(), expected);
    let chunked = pool.with_chunksize(20);
    assert_eq!(chunked.starmap(product, tuples.clone()).unwrap(), expected);
    let later = pool.starmap_async(product, tuples).unwrap();
    assert_eq!(later.get(LONG).unwrap(), expected);
    let three = pool.starmap(
        |a: u8, b: u8, c: String| format!("{a}{b}{c}"),
        [(1, 2, "c".into())],
    );
    assert_eq!(three.unwrap(), ["12c"]);
}

// cpython: _test_multiprocessing.py::_TestPool::test_release_task_refs
#[test]
fn a_worker_keeps_no_argument_of_a_job_that_is_done() {
    use std::sync::atomic::{AtomicIsize, Ordering};
    static COUNT: AtomicIsize = AtomicIsize::new(0);
    #[derive(serde::Serialize)]
    struct Counted(u32);
    impl<'de> serde::Deserialize<'de> for Counted {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            COUNT.fetch_add(1, Ordering::Relaxed);
            u32::deserialize(deserializer).map(Self)
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            COUNT.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let pool = Pool::new(1).unwrap();
    // What is counted is the worker's: this process has a number of its own.
    let values = pool.map(|counted: Counted| counted.0, (0..10).map(Counted));
    assert_eq!(values.unwrap(), (0..10).collect::<Vec<_>>());
    assert_eq!(pool.apply(|| COUNT.load(Ordering::Relaxed), ()), Ok(0));
}
