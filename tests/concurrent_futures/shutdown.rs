//! Shutting executors down, and the end of the program.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

use hilos::concurrent::futures::{
    ALL_COMPLETED, Future, FutureError, RuntimeError, ThreadPoolExecutor, as_completed, wait,
};
use hilos::threading::{Event, Lock, Semaphore, Thread, register_atexit};

use crate::backend::{Backend, DEADLINE, Threads, WORKERS, for_each_backend, mul, poll_until};
use crate::program::{self, is_program};

for_each_backend!(
    nothing_can_be_submitted_afterwards
    what_was_submitted_is_done
    what_has_not_begun_can_be_cancelled
    a_call_that_is_cancelled_at_the_last_moment
);

// cpython: test_concurrent_futures/test_shutdown.py::ExecutorShutdownTest::test_run_after_shutdown
fn nothing_can_be_submitted_afterwards<B: Backend>() {
    let executor = B::executor(WORKERS);
    B::shutdown(&executor, true);
    let error = B::submit(&executor, mul, (2, 5)).unwrap_err();
    let text = "RuntimeError: cannot schedule new futures after shutdown";
    assert_eq!(format!("{error:?}"), text);
    B::shutdown(&executor, true);
}

// cpython: test_concurrent_futures/test_shutdown.py::ExecutorShutdownTest::test_hang_issue12364
fn what_was_submitted_is_done<B: Backend>() {
    let executor = B::executor(WORKERS);
    let fs: Vec<_> = (0..50)
        .map(|n| B::submit(&executor, mul, (n, 2)).unwrap())
        .collect();
    B::shutdown(&executor, true);
    for (n, future) in fs.iter().enumerate() {
        assert_eq!(future.result(0).unwrap(), 2 * n as i32);
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ExecutorShutdownTest::test_cancel_futures
fn what_has_not_begun_can_be_cancelled<B: Backend>() {
    let executor = B::executor(WORKERS);
    let gate = B::gate();
    let submit = |_| B::submit(&executor, B::pass, gate.clone()).unwrap();
    let fs: Vec<Future<i32>> = (0..50).map(submit).collect();
    poll_until(|| fs.iter().any(Future::running));
    B::shutdown_cancel_futures(&executor, false);
    assert!(fs.iter().filter(|future| future.cancelled()).count() > 20);
    B::open(&gate);
    B::shutdown(&executor, true);
    let others: Vec<_> = fs.iter().filter(|future| !future.cancelled()).collect();
    assert!(!others.is_empty());
    for future in others {
        assert!(future.done(), "{future}");
        assert!(future.exception(0).unwrap().is_none());
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ExecutorShutdownTest::test_hang_gh94440
fn a_call_that_is_cancelled_at_the_last_moment<B: Backend>() {
    let executor = B::executor(1);
    assert_eq!(
        B::submit(&executor, mul, (1, 1))
            .unwrap()
            .result(None)
            .unwrap(),
        1
    );
    B::submit(&executor, mul, (1, 1)).unwrap().cancel();
    B::shutdown(&executor, true);
}

/// The executor of a program that ends without waiting for it.
static EXECUTOR: OnceLock<ThreadPoolExecutor> = OnceLock::new();

fn executor() -> &'static ThreadPoolExecutor {
    EXECUTOR.get_or_init(|| ThreadPoolExecutor::new(5).unwrap())
}

/// Prints when the program is ending already, and a moment later.
fn print_apple_at_the_end(ending: &Event) {
    assert!(ending.wait(DEADLINE));
    std::thread::sleep(Duration::from_millis(100));
    println!("apple");
}

// cpython: test_concurrent_futures/test_shutdown.py::ExecutorShutdownTest::test_interpreter_shutdown
#[test]
fn the_program_waits_for_calls() {
    let (stdout, stderr) = program::run("shutdown::program_that_leaves_a_call");
    assert!(stdout.contains("apple"), "{stdout}");
    assert_eq!(stderr, "");
}

#[test]
#[ignore = "run as a program"]
fn program_that_leaves_a_call() {
    static ENDING: Event = Event::new();

    if is_program() {
        // Registered before the executor's own callback, and thus called after it.
        register_atexit(|| ENDING.set()).unwrap();
        executor()
            .submit(|| print_apple_at_the_end(&ENDING))
            .unwrap();
    }
}

#[test]
fn the_program_waits_for_calls_in_the_queue() {
    let (stdout, _) = program::run("shutdown::program_that_leaves_a_queue");
    assert_eq!(stdout.matches("apple").count(), 3, "{stdout}");
}

#[test]
#[ignore = "run as a program"]
fn program_that_leaves_a_queue() {
    static ENDING: Event = Event::new();

    if is_program() {
        register_atexit(|| ENDING.set()).unwrap();
        let executor = ThreadPoolExecutor::new(1).unwrap();
        let submit = |_| executor.submit(|| print_apple_at_the_end(&ENDING)).unwrap();
        (0..3).map(submit).for_each(drop);
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ExecutorShutdownTest::test_submit_after_interpreter_shutdown
#[test]
fn nothing_can_be_submitted_when_the_program_ends() {
    let (stdout, _) = program::run("shutdown::program_that_submits_at_its_end");
    let text = "RuntimeError: cannot schedule new futures after interpreter shutdown";
    assert_eq!(stdout.matches(text).count(), 2, "{stdout}");
}

#[test]
#[ignore = "run as a program"]
fn program_that_submits_at_its_end() {
    if is_program() {
        register_atexit(|| {
            let late = ThreadPoolExecutor::new(1).unwrap();
            for executor in [executor(), &late] {
                println!("{:?}", executor.submit(|| 1).unwrap_err());
            }
        })
        .unwrap();
        assert_eq!(executor().submit(|| 42).unwrap().result(None).unwrap(), 42);
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ExecutorShutdownTest::test_hang_gh83386
#[test]
fn the_program_waits_for_calls_after_a_shutdown_without_wait() {
    let (stdout, stderr) = program::run("shutdown::program_that_shuts_down_without_wait");
    assert!(stdout.contains("apple"), "{stdout}");
    assert_eq!(stderr, "");
}

#[test]
#[ignore = "run as a program"]
fn program_that_shuts_down_without_wait() {
    static ENDING: Event = Event::new();

    if is_program() {
        register_atexit(|| ENDING.set()).unwrap();
        executor()
            .submit(|| print_apple_at_the_end(&ENDING))
            .unwrap();
        executor().shutdown(false);
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ThreadPoolShutdownTest::test_cancel_futures_wait_false
#[test]
fn a_program_may_end_while_its_calls_are_cancelled() {
    let (stdout, stderr) = program::run("shutdown::program_that_cancels_without_wait");
    // The worker may have begun with the first call, and with no other.
    assert!(stdout.matches("apple").count() <= 1, "{stdout}");
    assert_eq!(stderr, "");
}

#[test]
#[ignore = "run as a program"]
fn program_that_cancels_without_wait() {
    static ENDING: Event = Event::new();

    if is_program() {
        register_atexit(|| ENDING.set()).unwrap();
        let executor = ThreadPoolExecutor::new(1).unwrap();
        let submit = |_| executor.submit(|| print_apple_at_the_end(&ENDING)).unwrap();
        (0..3).map(submit).for_each(drop);
        executor.shutdown_cancel_futures(false);
    }
}

#[track_caller]
fn join_all(threads: &[Thread]) {
    for thread in threads {
        thread.join(DEADLINE).unwrap();
        assert!(!thread.is_alive(), "{thread} runs on");
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ThreadPoolShutdownTest::test_threads_terminate
#[test]
fn shutdown_waits_for_the_workers() {
    static SEM: Semaphore = Semaphore::new(0);

    let executor = ThreadPoolExecutor::new(WORKERS).unwrap();
    for _ in 0..3 {
        executor.submit(|| SEM.acquire()).unwrap();
    }
    assert_eq!(executor.threads().len(), 3);
    for _ in 0..3 {
        SEM.release().unwrap();
    }
    executor.shutdown(true);
    assert!(!executor.threads().iter().any(Thread::is_alive));
}

fn abs_all(executor: &ThreadPoolExecutor) -> hilos::concurrent::futures::Map<'static, i32> {
    executor.map(i32::abs, -5..5).unwrap()
}

const ABS: [i32; 10] = [5, 4, 3, 2, 1, 0, 1, 2, 3, 4];

// cpython: test_concurrent_futures/test_shutdown.py::ThreadPoolShutdownTest::test_context_manager_shutdown
#[test]
fn with_shuts_down_and_waits() {
    let executor = ThreadPoolExecutor::new(5).unwrap();
    let results: Vec<i32> = executor.with(|e| abs_all(e).map(Result::unwrap).collect());
    assert_eq!(results, ABS);
    assert!(!executor.threads().iter().any(Thread::is_alive));
    assert!(executor.submit(|| 1).is_err());
}

#[test]
fn with_waits_though_its_function_panics() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        executor.with(|e| {
            e.submit(|| 1).unwrap();
            std::panic::resume_unwind(Box::new(()));
        });
    }));
    assert!(result.is_err());
    assert!(!executor.threads().iter().any(Thread::is_alive));
}

// cpython: test_concurrent_futures/test_shutdown.py::ThreadPoolShutdownTest::test_del_shutdown
#[test]
fn calls_are_done_though_the_executor_is_dropped() {
    let executor = ThreadPoolExecutor::new(5).unwrap();
    let results = abs_all(&executor);
    let threads = executor.threads();
    let clone = executor.clone();
    drop(executor);
    assert!(clone.submit(|| 1).is_ok(), "a clone keeps it open");
    drop(clone);
    join_all(&threads);
    assert_eq!(
        results
            .with_timeout(0)
            .map(Result::unwrap)
            .collect::<Vec<_>>(),
        ABS
    );
}

// cpython: test_concurrent_futures/test_shutdown.py::ThreadPoolShutdownTest::test_shutdown_no_wait
#[test]
fn calls_are_done_though_nobody_waits() {
    let executor = ThreadPoolExecutor::new(5).unwrap();
    let results = abs_all(&executor);
    let threads = executor.threads();
    executor.shutdown(false);
    join_all(&threads);
    assert_eq!(
        results
            .with_timeout(0)
            .map(Result::unwrap)
            .collect::<Vec<_>>(),
        ABS
    );
}

#[test]
fn a_shutdown_without_wait_does_not_wait() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let gate = Threads::gate();
    let first = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    let second = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    executor.shutdown(false);
    drop(executor);
    assert!(!first.done() && !second.done());
    Threads::open(&gate);
    assert_eq!(second.result(DEADLINE).unwrap(), 0);
}

fn names_of_workers(executor: ThreadPoolExecutor) -> HashSet<String> {
    let _ = abs_all(&executor);
    let threads = executor.threads();
    drop(executor);
    join_all(&threads);
    threads.iter().map(Thread::name).collect()
}

// cpython: test_concurrent_futures/test_shutdown.py::ThreadPoolShutdownTest::test_thread_names_assigned
#[test]
fn workers_have_the_name_that_is_given() {
    let executor = ThreadPoolExecutor::new(5).unwrap();
    let names = names_of_workers(executor.with_thread_name_prefix("SpecialPool"));
    assert!(names.contains("SpecialPool_0"));
    for name in names {
        let number: usize = name.strip_prefix("SpecialPool_").unwrap().parse().unwrap();
        assert!(number < 5);
    }
}

// cpython: test_concurrent_futures/test_shutdown.py::ThreadPoolShutdownTest::test_thread_names_default
#[test]
fn workers_have_a_name_by_default() {
    let executor = ThreadPoolExecutor::new(5)
        .unwrap()
        .with_thread_name_prefix("");
    for name in names_of_workers(executor) {
        let numbers = name.strip_prefix("ThreadPoolExecutor-").unwrap();
        let (pool, worker) = numbers.split_once('_').unwrap();
        pool.parse::<usize>().unwrap();
        assert!(worker.parse::<usize>().unwrap() < 5);
    }
}

#[test]
fn workers_are_no_daemons_whoever_submits() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let clone = executor.clone();
    let daemon = Thread::new(move || drop(clone.submit(|| 1).unwrap())).with_daemon(true);
    daemon.start().unwrap();
    daemon.join(None).unwrap();
    assert!(!executor.threads()[0].daemon());
}

#[test]
fn who_waits_for_a_future_is_told_that_it_is_cancelled() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let gate = Threads::gate();
    let first = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    poll_until(|| first.running());
    let second = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    let mut completed = as_completed([&second], DEADLINE);
    executor.shutdown_cancel_futures(false);
    assert_eq!(completed.next().unwrap().unwrap(), second);
    assert_eq!(wait([&second], DEADLINE, ALL_COMPLETED).done, [second]);
    Threads::open(&gate);
}

#[test]
fn a_worker_may_shut_its_pool_down() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let own = executor.clone();
    let future = executor.submit(move || own.shutdown(true)).unwrap();
    future.result(DEADLINE).unwrap();
    assert!(executor.submit(|| 1).is_err());
}

#[test]
fn a_worker_may_drop_the_last_handle_of_its_pool() {
    let executor = ThreadPoolExecutor::new(2).unwrap();
    let (own, gate) = (executor.clone(), Threads::gate());
    let wait = gate.clone();
    let future = executor.submit(move || {
        Threads::pass(wait);
        drop(own);
    });
    let threads = executor.threads();
    drop(executor);
    Threads::open(&gate);
    future.unwrap().result(DEADLINE).unwrap();
    join_all(&threads);
}

#[test]
fn a_buffered_map_of_an_executor_that_is_gone_ends_with_an_error() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let mut results = executor.map_buffersize(|n| n, 0..4, 2).unwrap();
    let threads = executor.threads();
    drop(executor);
    join_all(&threads);
    let error = results.next().unwrap().unwrap_err();
    assert!(matches!(
        error,
        FutureError::Runtime(RuntimeError::AfterShutdown)
    ));
    assert!(results.next().is_none());
}

#[test]
fn a_callback_of_a_cancelled_future_may_use_the_executor() {
    static LOCK: Lock = Lock::new();

    let executor = ThreadPoolExecutor::new(1).unwrap();
    let gate = Threads::gate();
    let first = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    poll_until(|| first.running());
    let second = Threads::submit(&executor, Threads::pass, gate.clone()).unwrap();
    let other = executor.clone();
    second.add_done_callback(move |_| {
        assert!(other.submit(|| 1).is_err());
        LOCK.acquire();
    });
    executor.shutdown_cancel_futures(false);
    assert!(LOCK.locked());
    Threads::open(&gate);
}
