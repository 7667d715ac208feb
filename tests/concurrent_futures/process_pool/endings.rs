//! How a pool ends: shut down, dropped, by force, or because a process was killed.

use hilos::concurrent::futures::{
    BrokenExecutor, BrokenProcessPool, Future, FutureError, ProcessPoolExecutor, RuntimeError,
};
use hilos::multiprocessing::{Event, Process, Semaphore, StartMethod};

use super::{executor, with_workers};
use crate::backend::{DEADLINE, for_each_start_method, mul, poll_until};

for_each_start_method!(
    a_killed_process_breaks_the_pool
    processes_end_with_the_executor
    a_dropped_executor_finishes_its_work
    shutdown_need_not_wait
    forced_shutdown_ends_the_processes
    forced_shutdown_of_dead_processes
);

fn broken<T>(future: &Future<T>) -> BrokenProcessPool {
    match future.result(DEADLINE).map(drop) {
        Err(FutureError::Broken(BrokenExecutor::ProcessPool(error))) => error,
        other => panic!("the pool is not broken: {other:?}"),
    }
}

/// Says that it runs, and never returns.
fn run_for_ever(running: Event) {
    running.set();
    loop {
        std::thread::park();
    }
}

/// Submits a call that never returns, and waits until it runs.
fn busy(executor: &ProcessPoolExecutor) -> Future<()> {
    let running = Event::new().unwrap();
    let future = executor.submit(run_for_ever, (running.clone(),)).unwrap();
    assert!(running.wait(DEADLINE));
    future
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_killed_child
// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_traceback_when_child_process_terminates_abruptly
// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_broken_process_pool_traceback
fn a_killed_process_breaks_the_pool(method: StartMethod) {
    let executor = with_workers(method, 1);
    let running = busy(&executor);
    let pending = executor.submit(mul, ((2, 3),)).unwrap();
    let process = executor.processes().remove(0);
    process.terminate().unwrap();
    let error = broken(&running);
    assert_eq!(error.pid(), process.pid());
    assert_eq!(error.exitcode(), Some(-15));
    let text = error.to_string();
    assert!(text.starts_with("A process in the process pool was terminated abruptly"));
    let pid = process.pid().unwrap();
    assert!(
        text.ends_with(&format!("process {pid} terminated with exit code -15")),
        "{text}"
    );
    // Each future has the error, and so has whoever submits now.
    assert_eq!(broken(&pending), error);
    match executor.submit(mul, ((2, 8),)) {
        Err(RuntimeError::Broken(BrokenExecutor::ProcessPool(again))) => assert_eq!(again, error),
        other => panic!("the pool is not broken: {other:?}"),
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ProcessPoolShutdownTest::test_processes_terminate
// cpython: test_concurrent_futures/test_shutdown.py::ProcessPoolShutdownTest::test_context_manager_shutdown
fn processes_end_with_the_executor(method: StartMethod) {
    let executor = executor(method);
    let semaphore = Semaphore::new(0).unwrap();
    let acquire = |semaphore: Semaphore| semaphore.acquire().unwrap();
    for _ in 0..3 {
        executor.submit(acquire, (semaphore.clone(),)).unwrap();
    }
    let expected = if method == StartMethod::Fork { 4 } else { 3 };
    poll_until(|| executor.processes().len() == expected);
    let processes = executor.processes();
    for _ in 0..3 {
        semaphore.release().unwrap();
    }
    executor.shutdown(true);
    for process in &processes {
        assert_eq!(process.exitcode(), Some(0));
    }
    assert!(executor.processes().is_empty());

    let distances = with_workers(method, 5).with(|executor| {
        let results = executor.map(i32::abs, -5..5).unwrap();
        results.map(Result::unwrap).collect::<Vec<_>>()
    });
    assert_eq!(distances, [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]);
}

/// Waits until processes have ended.
fn join(processes: &[Process]) {
    for process in processes {
        process.join(DEADLINE).unwrap();
        assert!(!process.is_alive());
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ProcessPoolShutdownTest::test_del_shutdown
fn a_dropped_executor_finishes_its_work(method: StartMethod) {
    let executor = with_workers(method, 5);
    let results = executor.map(i32::abs, -5..5).unwrap();
    poll_until(|| !executor.processes().is_empty());
    let processes = executor.processes();
    drop(executor);
    join(&processes);
    let results: Vec<i32> = results.map(Result::unwrap).collect();
    assert_eq!(results, [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]);
}

// cpython: test_concurrent_futures/test_shutdown.py::ProcessPoolShutdownTest::test_shutdown_no_wait
fn shutdown_need_not_wait(method: StartMethod) {
    let executor = with_workers(method, 5);
    let results = executor.map(i32::abs, -5..5).unwrap();
    poll_until(|| !executor.processes().is_empty());
    executor.shutdown(false);
    let results: Vec<i32> = results.map(Result::unwrap).collect();
    assert_eq!(results, [5, 4, 3, 2, 1, 0, 1, 2, 3, 4]);
    if method != StartMethod::Fork {
        poll_until(|| executor.processes().is_empty());
    }
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_force_shutdown_workers
// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_force_shutdown_workers_stops_pool
fn forced_shutdown_ends_the_processes(method: StartMethod) {
    let ways = [
        ProcessPoolExecutor::terminate_workers,
        ProcessPoolExecutor::kill_workers,
    ];
    for (end, exitcode) in ways.into_iter().zip([-15, -9]) {
        let executor = with_workers(method, 1);
        let running = busy(&executor);
        let pending = executor.submit(mul, ((1, 2),)).unwrap();
        let process = executor.processes().remove(0);
        end(&executor);
        assert_eq!(broken(&running).exitcode(), Some(exitcode));
        assert!(matches!(
            pending.result(DEADLINE),
            Err(FutureError::Cancelled(_))
        ));
        join(&[process]);
        assert!(executor.submit(mul, ((1, 2),)).is_err());
        executor.shutdown(true);
    }
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_force_shutdown_workers_dead_workers
fn forced_shutdown_of_dead_processes(method: StartMethod) {
    for end in [
        ProcessPoolExecutor::terminate_workers,
        ProcessPoolExecutor::kill_workers,
    ] {
        let executor = with_workers(method, 1);
        let future = executor.submit(|| std::process::exit(1), ()).unwrap();
        assert_eq!(broken::<()>(&future).exitcode(), Some(1));
        end(&executor);
        executor.shutdown(true);
    }
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_force_shutdown_during_max_tasks_worker_exit
#[test]
fn forced_shutdown_between_tasks() {
    for end in [
        ProcessPoolExecutor::terminate_workers,
        ProcessPoolExecutor::kill_workers,
    ] {
        let executor = ProcessPoolExecutor::new(2)
            .unwrap()
            .with_max_tasks_per_child(1)
            .unwrap();
        let submit = |i| executor.submit(mul, ((i, i),)).unwrap();
        let futures: Vec<_> = (0..50).map(submit).collect();
        futures[0].result(DEADLINE).unwrap();
        end(&executor);
        for (i, future) in (0..).zip(&futures).skip(1) {
            match future.result(DEADLINE) {
                Ok(result) => assert_eq!(result, i * i),
                Err(FutureError::Cancelled(_) | FutureError::Broken(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        executor.shutdown(true);
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ProcessPoolShutdownTest::test_shutdown_gh_132969_case_1
// cpython: test_concurrent_futures/test_shutdown.py::ProcessPoolShutdownTest::test_shutdown_gh_132969_case_2
#[test]
fn shutdown_cancels_what_waits_and_finishes_what_runs() {
    let executor = ProcessPoolExecutor::new(1).unwrap();
    let (running, go) = (Event::new().unwrap(), Event::new().unwrap());
    let wait = |running: Event, go: Event| {
        running.set();
        go.wait(DEADLINE);
        42
    };
    let first = executor
        .submit(wait, (running.clone(), go.clone()))
        .unwrap();
    assert!(running.wait(DEADLINE));
    let second = executor.submit(mul, ((1, 2),)).unwrap();
    executor.shutdown_cancel_futures(false);
    assert!(matches!(
        second.result(DEADLINE),
        Err(FutureError::Cancelled(_))
    ));
    go.set();
    assert_eq!(first.result(DEADLINE).unwrap(), 42);
    executor.shutdown_cancel_futures(true);
    assert!(executor.processes().is_empty());
}
