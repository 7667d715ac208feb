//! `ThreadPoolExecutor` alone.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hilos::concurrent::futures::{Future, FutureError, Map, ThreadPoolExecutor};
use hilos::threading::{self, Semaphore};

use crate::backend::{Backend, Threads, poll_until};

// cpython: test_concurrent_futures/test_thread_pool.py::ThreadPoolExecutorTest::test_map_submits_without_iteration
#[test]
fn a_map_is_run_though_nobody_asks_for_its_results() {
    let executor = ThreadPoolExecutor::new(5).unwrap();
    let finished = Arc::new(Mutex::new(Vec::new()));
    let log = finished.clone();
    drop(
        executor
            .map(move |n| log.lock().unwrap().push(n), 0..10)
            .unwrap(),
    );
    executor.shutdown(true);
    let mut finished = std::mem::take(&mut *finished.lock().unwrap());
    finished.sort_unstable();
    assert_eq!(finished, Vec::from_iter(0..10));
}

// cpython: test_concurrent_futures/test_thread_pool.py::ThreadPoolExecutorTest::test_default_workers
#[test]
fn the_default_is_four_more_than_there_are_processors() {
    let processors = std::thread::available_parallelism().unwrap().get();
    let expected = (processors + 4).min(32);
    assert_eq!(ThreadPoolExecutor::default().max_workers(), expected);
    assert_eq!(
        ThreadPoolExecutor::new(None).unwrap().max_workers(),
        expected
    );
}

// cpython: test_concurrent_futures/test_thread_pool.py::ThreadPoolExecutorTest::test_saturation
#[test]
fn there_are_never_more_workers_than_allowed() {
    static SEM: Semaphore = Semaphore::new(0);

    let executor = ThreadPoolExecutor::new(4).unwrap();
    for _ in 0..15 * executor.max_workers() {
        executor.submit(|| SEM.acquire()).unwrap();
    }
    assert_eq!(executor.threads().len(), 4);
    for _ in 0..15 * executor.max_workers() {
        SEM.release().unwrap();
    }
    executor.shutdown(true);
    assert_eq!(executor.threads().len(), 4);
}

// cpython: test_concurrent_futures/test_thread_pool.py::ThreadPoolExecutorTest::test_idle_thread_reuse
#[test]
fn an_idle_worker_takes_the_next_call() {
    let executor = ThreadPoolExecutor::default();
    for (x, y) in [(21, 2), (6, 7), (3, 14)] {
        assert_eq!(
            executor
                .submit(move || x * y)
                .unwrap()
                .result(None)
                .unwrap(),
            42
        );
        // The result is there a moment before the worker is idle.
        poll_until(|| format!("{executor:?}").contains("idle: 1"));
    }
    assert_eq!(executor.threads().len(), 1);
}

#[test]
fn an_idle_worker_counts_for_one_call() {
    let executor = ThreadPoolExecutor::new(2).unwrap();
    executor.submit(|| ()).unwrap();
    poll_until(|| format!("{executor:?}").contains("idle: 1"));
    let gate = Threads::gate();
    let fs = [(); 2].map(|()| Threads::submit(&executor, Threads::pass, gate.clone()).unwrap());
    poll_until(|| fs.iter().all(Future::running));
    Threads::open(&gate);
}

// cpython: test_concurrent_futures/test_thread_pool.py::ThreadPoolExecutorTest::test_executor_map_current_future_cancel
#[test]
fn a_map_that_gives_up_cancels_what_has_not_begun() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let stop = Threads::gate();
    let log_n_wait = {
        let (log, stop) = (log.clone(), stop.clone());
        move |ident: &'static str| {
            log.lock().unwrap().push(format!("{ident} started"));
            Threads::pass(stop.clone());
            log.lock().unwrap().push(format!("{ident} stopped"));
        }
    };
    ThreadPoolExecutor::new(1).unwrap().with(|pool| {
        let first = log_n_wait.clone();
        let future = pool.submit(move || first("first")).unwrap();
        poll_until(|| future.running());
        {
            let results = pool.map(log_n_wait, ["second", "third"]).unwrap();
            let mut results = results.with_timeout(0);
            assert!(results.next().unwrap().unwrap_err().is_timeout());
        }
        Threads::open(&stop);
        future.result(None).unwrap();
    });
    assert_eq!(*log.lock().unwrap(), ["first started", "first stopped"]);
}

/// Ends a map of four calls after the first by `end`; returns how many have begun.
fn begun(end: fn(Map<'static, i32>)) -> usize {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let (begun, gate) = (Arc::new(AtomicUsize::new(0)), Threads::gate());
    let (count, pass) = (begun.clone(), gate.clone());
    let call = move |number| {
        count.fetch_add(1, Ordering::SeqCst);
        if number > 0 {
            Threads::pass(pass.clone())
        } else {
            0
        }
    };
    let mut results = executor.map(call, 0..4).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    poll_until(|| begun.load(Ordering::SeqCst) == 2);
    end(results);
    Threads::open(&gate);
    executor.shutdown(true);
    begun.load(Ordering::SeqCst)
}

#[test]
fn a_map_that_is_left_halfway_cancels_what_has_not_begun() {
    assert_eq!(begun(drop), 2);
}

// cpython: test_concurrent_futures/executor.py::ExecutorTest::test_map_close
#[test]
fn a_map_that_is_closed_cancels_what_has_not_begun() {
    let close = |mut results: Map<'static, i32>| {
        results.close();
        assert!(results.next().is_none());
        // Not by dropping it.
        std::mem::forget(results);
    };
    assert_eq!(begun(close), 2);
}

#[test]
fn a_panic_is_the_futures_exception_and_the_worker_goes_on() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let future = executor.submit(|| -> i32 { panic!("no beans") }).unwrap();
    let error = future.result(None).unwrap_err();
    assert_eq!(format!("{error:?}"), "panic: no beans");
    assert!(future.exception(0).unwrap().unwrap().panic().is_some());
    assert_eq!(executor.submit(|| 42).unwrap().result(None).unwrap(), 42);
    assert_eq!(executor.threads().len(), 1);
}

#[test]
fn an_error_that_is_returned_is_the_futures_exception_if_asked_for() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let parse = || "x".parse::<i32>();
    let error = executor
        .try_submit(parse)
        .unwrap()
        .result(None)
        .unwrap_err();
    assert_eq!(
        format!("{error:?}"),
        "ParseIntError: invalid digit found in string"
    );
    let value = executor.submit(parse).unwrap().result(None).unwrap();
    assert!(value.is_err());

    let boxed = || Err::<(), Box<dyn Error + Send + Sync>>("boxed".into());
    let error = executor
        .try_submit(boxed)
        .unwrap()
        .result(None)
        .unwrap_err();
    assert_eq!(format!("{error:?}"), "Error: boxed");
}

#[test]
fn a_call_that_leaves_its_thread_fails_and_the_worker_goes_on() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let future = executor.submit(|| -> i32 { threading::exit() }).unwrap();
    match future.result(None) {
        Err(FutureError::Failed(exception)) => assert_eq!(exception.type_name(), "SystemExit"),
        other => panic!("{other:?}"),
    }
    assert_eq!(executor.submit(|| 42).unwrap().result(None).unwrap(), 42);
}

#[test]
fn a_worker_survives_a_result_that_panics_when_it_is_dropped() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bomb");
        }
    }

    let reports = crate::hook::captured(|| {
        let executor = ThreadPoolExecutor::new(1).unwrap();
        // Nobody holds the future: the worker drops the result.
        drop(executor.submit(|| Bomb).unwrap());
        assert_eq!(executor.submit(|| 42).unwrap().result(None).unwrap(), 42);
        assert_eq!(executor.threads().len(), 1);
    });
    assert_eq!(reports, [("panic: bomb".to_owned(), None)]);
}

#[test]
fn a_future_that_its_holder_completes_is_left_alone() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let gate = Threads::gate();
    let future = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    poll_until(|| future.running());
    future.set_result(7).unwrap();
    Threads::open(&gate);
    assert_eq!(executor.submit(|| 42).unwrap().result(None).unwrap(), 42);
    assert_eq!(future.result(0).unwrap(), 7);
}

#[test]
fn a_callback_runs_in_the_worker() {
    let executor = ThreadPoolExecutor::new(1)
        .unwrap()
        .with_thread_name_prefix("Caller");
    let gate = Threads::gate();
    let future = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    let (told, name) = std::sync::mpsc::channel();
    future.add_done_callback(move |_| {
        told.send(threading::current_thread().name()).unwrap();
    });
    Threads::open(&gate);
    assert_eq!(name.recv().unwrap(), "Caller_0");
}

#[test]
fn a_call_may_submit_calls_and_wait_for_them() {
    let executor = ThreadPoolExecutor::new(2).unwrap();
    let inner = executor.clone();
    let outer = executor.submit(move || inner.submit(|| 42).unwrap().result(None).unwrap());
    assert_eq!(outer.unwrap().result(None).unwrap(), 42);
}

#[test]
fn a_buffered_map_may_borrow_its_items() {
    let executor = ThreadPoolExecutor::new(2).unwrap();
    let text = String::from("one two three");
    let words = text.split(' ').map(str::len);
    let results = executor.map_buffersize(|n| n * 2, words, 1).unwrap();
    let lengths: Vec<usize> = results.map(Result::unwrap).collect();
    assert_eq!(lengths, [6, 6, 10]);
}
