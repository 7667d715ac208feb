//! `ProcessPoolExecutor`.

use std::error::Error as _;

use hilos::concurrent::futures::{
    BrokenExecutor, BrokenProcessPool, Exception, Future, FutureError, ProcessPoolExecutor,
    RemoteError, RuntimeError, ValueError,
};
use hilos::multiprocessing::{Event, Process, Semaphore, StartMethod};

use crate::backend::{DEADLINE, for_each_start_method, mul, poll_until};

for_each_start_method!(
    a_killed_process_breaks_the_pool
    map_takes_items_in_chunks
    an_exception_has_its_remote_traceback
    an_argument_is_dropped_before_the_future_is_done
    there_are_no_more_processes_than_allowed
    an_idle_process_is_used_again
    processes_are_replaced_after_their_tasks
    nothing_is_lost_when_it_is_shut_down_between_tasks
    processes_end_with_the_executor
    a_dropped_executor_finishes_its_work
    shutdown_need_not_wait
    forced_shutdown_ends_the_processes
    forced_shutdown_of_dead_processes
);

/// An executor with four processes at most, unless said otherwise.
fn executor(method: StartMethod) -> ProcessPoolExecutor {
    with_workers(method, 4)
}

fn with_workers(method: StartMethod, workers: usize) -> ProcessPoolExecutor {
    let executor = ProcessPoolExecutor::new(workers).unwrap();
    executor.with_start_method(method).unwrap()
}

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
    assert!(
        remote
            .failure()
            .place()
            .unwrap()
            .contains("process_pool.rs")
    );
    let traceback = remote.source().unwrap().to_string();
    assert!(traceback.contains("process_pool.rs"), "{traceback}");
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

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_saturation
fn there_are_no_more_processes_than_allowed(method: StartMethod) {
    let executor = executor(method);
    let semaphore = Semaphore::new(0).unwrap();
    let acquire = |semaphore: Semaphore| semaphore.acquire().unwrap();
    let jobs = 15 * executor.max_workers();
    let submit = |_| executor.submit(acquire, (semaphore.clone(),)).unwrap();
    let futures: Vec<_> = (0..jobs).map(submit).collect();
    poll_until(|| executor.processes().len() == executor.max_workers());
    for _ in 0..jobs {
        semaphore.release().unwrap();
    }
    for future in futures {
        future.result(DEADLINE).unwrap();
    }
    assert_eq!(executor.processes().len(), executor.max_workers());
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_idle_process_reuse_one
// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_idle_process_reuse_multiple
fn an_idle_process_is_used_again(method: StartMethod) {
    let executor = executor(method);
    let pid = || {
        let future = executor.submit(std::process::id, ()).unwrap();
        let pid = future.result(DEADLINE).unwrap();
        // A worker is idle a moment after its result is there.
        poll_until(|| format!("{executor:?}").contains("idle: 1,"));
        pid
    };
    let first = pid();
    assert!((0..10).all(|_| pid() == first));
    let expected = if method == StartMethod::Fork { 4 } else { 1 };
    assert_eq!(executor.processes().len(), expected);
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_max_tasks_per_child
// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_max_tasks_per_child_pending_tasks_gh115634
fn processes_are_replaced_after_their_tasks(method: StartMethod) {
    let limited = with_workers(method, 1).with_max_tasks_per_child(3);
    if method == StartMethod::Fork {
        assert!(matches!(limited, Err(ValueError::MaxTasksPerChild)));
        return;
    }
    let executor = limited.unwrap();
    let submit = |_| executor.submit(std::process::id, ()).unwrap();
    let futures: Vec<Future<u32>> = (0..7).map(submit).collect();
    let pids: Vec<u32> = futures
        .iter()
        .map(|f| f.result(DEADLINE).unwrap())
        .collect();
    let [a, b, c, d, e, f, g] = pids[..] else {
        unreachable!()
    };
    assert!(a == b && b == c && d == e && e == f);
    assert!(a != d && d != g);
    assert_eq!(executor.processes().len(), 1);
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_max_tasks_early_shutdown
// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_shutdown_no_wait_max_tasks_gh119592
// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_gc_during_max_tasks_worker_exit_gh152967
fn nothing_is_lost_when_it_is_shut_down_between_tasks(method: StartMethod) {
    if method == StartMethod::Fork {
        return;
    }
    let endings: [fn(ProcessPoolExecutor); 3] = [
        |executor| executor.shutdown(true),
        |executor| executor.shutdown(false),
        drop,
    ];
    for end in endings {
        let executor = with_workers(method, 3).with_max_tasks_per_child(1).unwrap();
        let submit = |i| executor.submit(mul, ((i, i),)).unwrap();
        let futures: Vec<_> = (0..6).map(submit).collect();
        end(executor);
        let results: Vec<i32> = futures
            .iter()
            .map(|f| f.result(DEADLINE).unwrap())
            .collect();
        assert_eq!(results, [0, 1, 4, 9, 16, 25]);
    }
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_max_tasks_per_child_defaults_to_spawn_context
#[test]
fn a_limit_of_tasks_is_not_for_forked_processes() {
    let executor = ProcessPoolExecutor::new(1)
        .unwrap()
        .with_max_tasks_per_child(3)
        .unwrap();
    assert_ne!(executor.start_method(), StartMethod::Fork);
    let forked = executor.with_start_method(StartMethod::Fork);
    assert!(matches!(forked, Err(ValueError::MaxTasksPerChild)));
    let none = ProcessPoolExecutor::new(1)
        .unwrap()
        .with_max_tasks_per_child(0);
    assert!(matches!(none, Err(ValueError::MaxTasksPerChild)));
    assert!(matches!(
        ProcessPoolExecutor::new(0),
        Err(ValueError::MaxWorkers)
    ));
    // Also where forking is the program's default.
    let test = Process::new(
        || {
            hilos::multiprocessing::set_start_method(StartMethod::Fork, true).unwrap();
            let executor = ProcessPoolExecutor::new(1).unwrap();
            assert_eq!(executor.start_method(), StartMethod::Fork);
            let executor = executor.with_max_tasks_per_child(3).unwrap();
            assert_eq!(executor.start_method(), StartMethod::Spawn);
        },
        (),
    );
    crate::backend::with_one_thread(test);
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
