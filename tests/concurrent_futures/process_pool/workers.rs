//! The processes of a pool: how many there are, and when they are replaced.

use hilos::concurrent::futures::{Future, ProcessPoolExecutor, ValueError};
use hilos::multiprocessing::{Process, Semaphore, StartMethod};

use super::{executor, with_workers};
use crate::backend::{DEADLINE, for_each_start_method, mul, poll_until};

for_each_start_method!(
    there_are_no_more_processes_than_allowed
    an_idle_process_is_used_again
    processes_are_replaced_after_their_tasks
    nothing_is_lost_when_it_is_shut_down_between_tasks
);

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
