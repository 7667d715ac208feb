//! Initializers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hilos::concurrent::futures::{
    ALL_COMPLETED, BrokenExecutor, BrokenThreadPool, FutureError, RuntimeError, ThreadPoolExecutor,
    wait,
};
use hilos::threading::{self, Local};

use crate::backend::{Backend, DEADLINE, Threads, poll_until};
use crate::hook::captured;

const BROKEN: &str =
    "BrokenThreadPool: A thread initializer failed, the thread pool is not usable anymore";

// cpython: test_concurrent_futures/test_init.py::InitializerMixin::test_initializer
#[test]
fn every_worker_is_initialized_before_its_first_call() {
    let status = Arc::new(Local::new(|| "uninitialized"));
    let started = Arc::new(AtomicUsize::new(0));
    let (init, count) = (status.clone(), started.clone());
    let executor = ThreadPoolExecutor::new(2)
        .unwrap()
        .with_initializer(move || {
            count.fetch_add(1, Ordering::SeqCst);
            init.set("initialized");
        });
    let fs = [(); 4].map(|()| {
        let status = status.clone();
        executor.submit(move || status.get()).unwrap()
    });
    for future in fs {
        assert_eq!(future.result(None).unwrap(), "initialized");
    }
    executor.shutdown(true);
    assert_eq!(started.load(Ordering::SeqCst), executor.threads().len());
}

// cpython: test_concurrent_futures/test_init.py::FailingInitializerMixin::test_initializer
#[test]
fn a_failing_initializer_breaks_the_pool() {
    let reports = captured(|| {
        let gate = Threads::gate();
        let wait_and_fail = gate.clone();
        let executor = ThreadPoolExecutor::new(2)
            .unwrap()
            .with_initializer(move || {
                Threads::pass(wait_and_fail.clone());
                Err::<(), _>("error in initializer")
            });
        // More than there are workers, and one that was cancelled: all are done in the end.
        let fs = [(); 5].map(|()| executor.submit(|| 1).unwrap());
        assert!(fs[3].cancel());
        Threads::open(&gate);
        assert_eq!(wait(&fs, DEADLINE, ALL_COMPLETED).done, fs);
        assert!(fs[3].cancelled());
        for future in [&fs[0], &fs[1], &fs[2], &fs[4]] {
            let error = future.result(0).unwrap_err();
            assert!(matches!(
                &error,
                FutureError::Broken(BrokenExecutor::ThreadPool(BrokenThreadPool { .. }))
            ));
            assert_eq!(format!("{error:?}"), BROKEN);
            assert!(
                future.to_string().ends_with("raised BrokenThreadPool>"),
                "{future}"
            );
        }
        let error = executor.submit(|| 1).unwrap_err();
        assert!(matches!(&error, RuntimeError::Broken(_)));
        assert_eq!(format!("{error:?}"), BROKEN);
        executor.shutdown(true);
    });
    let report = ("Error: error in initializer".to_owned(), None);
    assert_eq!(reports, [report.clone(), report], "each worker tells");
}

#[test]
fn an_initializer_that_panics_or_leaves_breaks_the_pool() {
    fn broken(initializer: fn()) -> Vec<(String, Option<String>)> {
        captured(|| {
            let executor = ThreadPoolExecutor::new(1)
                .unwrap()
                .with_initializer(initializer);
            // The worker is started by this call, whether it is taken or not.
            if let Ok(future) = executor.submit(|| 1) {
                assert!(matches!(
                    future.result(DEADLINE),
                    Err(FutureError::Broken(_))
                ));
            }
            poll_until(|| matches!(executor.submit(|| 1), Err(RuntimeError::Broken(_))));
            executor.shutdown(true);
        })
    }

    let reports = broken(|| panic!("no beans"));
    assert_eq!(reports, [("panic: no beans".to_owned(), None)]);
    assert_eq!(broken(|| threading::exit()), []);
}

#[test]
fn a_pool_that_nobody_holds_breaks_too() {
    let reports = captured(|| {
        let gate = Threads::gate();
        let wait_and_fail = gate.clone();
        let executor = ThreadPoolExecutor::new(1)
            .unwrap()
            .with_initializer(move || {
                Threads::pass(wait_and_fail.clone());
                panic!("late");
            });
        let future = executor.submit(|| 1).unwrap();
        let threads = executor.threads();
        drop(executor);
        Threads::open(&gate);
        assert!(matches!(
            future.result(DEADLINE),
            Err(FutureError::Broken(_))
        ));
        threads[0].join(None).unwrap();
    });
    assert_eq!(reports, [("panic: late".to_owned(), None)]);
}
