//! `_TestPool`, `_TestPoolWorkerErrors` and `_TestPoolWorkerLifetime`.

use std::collections::HashSet;
use std::time::Duration;

use hilos::multiprocessing::pool::{JobError, Pool};
use hilos::multiprocessing::{Error, StartMethod};

use crate::support::LONG;

fn square(number: i64) -> i64 {
    number * number
}

fn pool() -> Pool {
    Pool::new(4).unwrap()
}

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

// cpython: _test_multiprocessing.py::_TestPool::test_imap
#[test]
fn imap_yields_in_order_and_takes_little_ahead() {
    let pool = Pool::new(2).unwrap();
    let taken = std::cell::Cell::new(0);
    let items = (0..1000).inspect(|_| taken.set(taken.get() + 1));
    let mut results = pool.imap(square, items);
    assert_eq!(results.next(), Some(Ok(0)));
    assert!(
        taken.get() < 100,
        "{} items were taken for one result",
        taken.get()
    );
    assert_eq!(results.next_timeout(LONG), Some(Ok(1)));
    let rest: Vec<i64> = results.map(Result::unwrap).collect();
    assert_eq!(rest, (2..1000).map(square).collect::<Vec<_>>());
}

// cpython: _test_multiprocessing.py::_TestPool::test_imap_unordered
#[test]
fn imap_unordered_yields_everything_once() {
    let pool = pool();
    let results = pool.imap_unordered(square, 0..500).map(Result::unwrap);
    let mut results: Vec<i64> = results.collect();
    results.sort_unstable();
    assert_eq!(results, (0..500).map(square).collect::<Vec<_>>());
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
            .contains("tests/multiprocessing/pool.rs")
    );
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_no_failfast
#[test]
fn every_item_is_run_though_the_first_has_failed() {
    fn write(path: String) {
        assert!(!path.is_empty(), "the first item");
        std::fs::write(path, "done").unwrap();
    }
    let directory = std::env::temp_dir().join(format!("hilos-failfast-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let paths: Vec<String> = (0..20)
        .map(|number| directory.join(number.to_string()).display().to_string())
        .collect();
    let items = [String::new()].into_iter().chain(paths.clone());
    let Err(JobError::Failed(failure)) = pool().with_chunksize(1).map(write, items) else {
        panic!()
    };
    assert!(failure.message().contains("the first item"));
    assert!(paths.iter().all(|path| std::path::Path::new(path).exists()));
    std::fs::remove_dir_all(directory).unwrap();
}

// cpython: _test_multiprocessing.py::_TestPool::test_map_unplicklable
#[test]
fn an_argument_that_cannot_travel_is_an_error() {
    #[derive(serde::Deserialize)]
    struct Refuses;
    impl serde::Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not this one"))
        }
    }
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
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Refuses;
    impl serde::Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not this one"))
        }
    }
    let pool = Pool::new(2).unwrap();
    for _ in 0..20 {
        let Err(JobError::Failed(failure)) = pool.apply(|| Refuses, ()) else {
            panic!()
        };
        assert_eq!(failure.type_name(), "MaybeEncodingError");
    }
    assert_eq!(pool.apply(square, (2,)), Ok(4));
}

// cpython: _test_multiprocessing.py::_TestPool::test_terminate
// cpython: _test_multiprocessing.py::_TestPool::test_context
// cpython: _test_multiprocessing.py::_TestPool::test_enter
#[test]
fn a_terminated_pool_is_gone_at_once() {
    fn slow(_: u32) {
        std::thread::sleep(Duration::from_secs_f64(2.0 * LONG));
    }
    let pool = Pool::new(3).unwrap();
    let map = pool.map_async(slow, 0..1000).unwrap();
    let running = pool.join(0).unwrap_err();
    assert_eq!(format!("{running:?}"), "ValueError: Pool is still running");
    pool.terminate();
    pool.join(LONG).unwrap();
    assert_eq!(map.get(LONG), Err(JobError::Terminated));
    assert_eq!(pool.apply(square, (1,)), Err(JobError::NotRunning));
}

#[test]
fn a_closed_pool_does_what_it_has() {
    let pool = pool();
    let map = pool.map_async(square, 0..1000).unwrap();
    pool.close();
    let refused = pool.apply(square, (1,)).unwrap_err();
    assert_eq!(format!("{refused:?}"), "ValueError: Pool not running");
    pool.join(LONG).unwrap();
    assert_eq!(map.get(0).unwrap().len(), 1000);
}

// cpython: _test_multiprocessing.py::TestInitializers::test_pool_initializer
#[test]
fn the_initializer_runs_in_every_worker() {
    use std::sync::atomic::{AtomicI64, Ordering};
    static GIVEN: AtomicI64 = AtomicI64::new(0);
    fn set(value: i64) {
        GIVEN.store(value, Ordering::Relaxed);
    }
    let pool = Pool::builder()
        .processes(3)
        .initializer(set, (42,))
        .build()
        .unwrap();
    let given = pool
        .with_chunksize(1)
        .map(|_: u8| GIVEN.load(Ordering::Relaxed), 0..30)
        .unwrap();
    assert!(given.iter().all(|value| *value == 42));
    assert_eq!(GIVEN.load(Ordering::Relaxed), 0, "not in this process");
}

#[test]
fn a_failing_initializer_breaks_the_pool_for_all_jobs() {
    let broken = Pool::builder()
        .processes(2)
        .initializer(|| panic!("no table"), ())
        .build()
        .unwrap();
    let Err(JobError::Broken(failure)) = broken.apply(square, (1,)) else {
        panic!()
    };
    assert_eq!(failure.message(), "no table");
    let dies = Pool::builder()
        .processes(2)
        .initializer(|| std::process::abort(), ())
        .build()
        .unwrap();
    assert!(matches!(dies.apply(square, (1,)), Err(JobError::Broken(_))));
}

// cpython: _test_multiprocessing.py::_TestPoolWorkerLifetime::test_pool_worker_lifetime
// cpython: _test_multiprocessing.py::_TestPoolWorkerLifetime::test_pool_worker_lifetime_early_close
#[test]
fn workers_are_replaced_after_their_share() {
    let pool = Pool::builder()
        .processes(3)
        .max_tasks_per_child(10)
        .build()
        .unwrap();
    let pids = pool
        .with_chunksize(1)
        .map(|_: u32| std::process::id(), 0..100)
        .unwrap();
    let mut counts = std::collections::HashMap::<u32, u32>::new();
    pids.iter()
        .for_each(|pid| *counts.entry(*pid).or_default() += 1);
    assert!(counts.values().all(|count| *count <= 10), "{counts:?}");
    assert!(counts.len() >= 10);
    let jobs: Vec<_> = (0..6)
        .map(|n| pool.apply_async(square, (n,)).unwrap())
        .collect();
    pool.close();
    pool.join(LONG).unwrap();
    let results: Vec<i64> = jobs.iter().map(|job| job.get(0).unwrap()).collect();
    assert_eq!(results, (0..6).map(square).collect::<Vec<_>>());
}

// cpython: _test_multiprocessing.py::_TestPoolWorkerLifetime::test_pool_maxtasksperchild_invalid
#[test]
fn a_share_of_nothing_is_refused() {
    let refused = Pool::builder()
        .processes(1)
        .max_tasks_per_child(0)
        .build()
        .unwrap_err();
    assert!(matches!(&refused, Error::Value(text) if text.contains("maxtasksperchild")));
}

// cpython: _test_multiprocessing.py::MiscTestCase::test_large_pool
#[test]
fn a_large_pool() {
    let pool = Pool::new(50).unwrap();
    let pids: HashSet<u32> = (0..50)
        .map(|_| pool.apply_async(std::process::id, ()).unwrap())
        .collect::<Vec<_>>()
        .iter()
        .map(|job| job.get(LONG).unwrap())
        .collect();
    assert!(!pids.is_empty());
}

#[test]
fn it_prints_as_in_python() {
    let pool = Pool::new(2).unwrap();
    assert_eq!(
        format!("{pool:?}"),
        "<multiprocessing.pool.Pool state=RUN pool_size=2>"
    );
}
