//! What goes wrong in the processes of a pool: nothing hangs.

use hilos::concurrent::futures::{
    BrokenExecutor, Future, FutureError, ProcessPoolExecutor, RuntimeError,
};
use hilos::multiprocessing::{Event, Lock, StartMethod};
use nix::sys::signal::{Signal, raise};
use nix::unistd::{ForkResult, fork};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::backend::{DEADLINE, for_each_start_method, mul};

for_each_start_method!(
    what_cannot_be_sent_costs_itself_alone
    what_does_not_arrive_costs_itself_alone
    a_call_that_crashes_breaks_the_pool
    a_call_that_leaves_costs_itself_alone
    a_result_that_cannot_be_sent_costs_itself_alone
    a_result_with_too_many_handles_costs_itself_alone
    a_crash_after_the_shutdown
    a_crash_with_much_data_under_way
    an_initializer_that_fails_breaks_the_pool
    an_initializer_runs_in_every_process
);

/// What a value does when it is sent or when it arrives.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    leaving: What,
    arriving: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum What {
    Nothing,
    Error,
    Crash,
    Exit,
}

impl What {
    fn happens(self) -> Result<(), &'static str> {
        match self {
            Self::Nothing => Ok(()),
            Self::Error => Err("I do not want to"),
            Self::Crash => std::process::abort(),
            Self::Exit => std::process::exit(3),
        }
    }
}

impl Serialize for Trouble {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.leaving.happens().map_err(serde::ser::Error::custom)?;
        self.arriving.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Trouble {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let arriving = What::deserialize(deserializer)?;
        arriving.happens().map_err(serde::de::Error::custom)?;
        Ok(trouble(What::Nothing, arriving))
    }
}

fn trouble(leaving: What, arriving: What) -> Trouble {
    Trouble { leaving, arriving }
}

fn executor(method: StartMethod) -> ProcessPoolExecutor {
    let executor = ProcessPoolExecutor::new(2).unwrap();
    executor.with_start_method(method).unwrap()
}

/// The name and the text of a call's exception; the pool goes on.
#[track_caller]
fn failed<T>(executor: &ProcessPoolExecutor, future: &Future<T>) -> (&'static str, String) {
    let found = match future.result(DEADLINE).map(drop) {
        Err(FutureError::Failed(exception)) => (exception.type_name(), exception.to_string()),
        other => panic!("it has not failed: {other:?}"),
    };
    let next = executor.submit(mul, ((2, 3),)).unwrap();
    assert_eq!(next.result(DEADLINE).unwrap(), 6);
    found
}

/// The exit code of the process that broke the pool.
#[track_caller]
fn broken<T>(future: &Future<T>) -> Option<i32> {
    match future.result(DEADLINE).map(drop) {
        Err(FutureError::Broken(BrokenExecutor::ProcessPool(error))) => error.exitcode(),
        other => panic!("the pool is not broken: {other:?}"),
    }
}

const ABORTED: Option<i32> = Some(-6);

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_error_at_task_pickle
// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_shutdown_deadlock_pickle
fn what_cannot_be_sent_costs_itself_alone(method: StartMethod) {
    let executor = executor(method);
    let take = |_: Trouble| ();
    let future = executor
        .submit(take, (trouble(What::Error, What::Nothing),))
        .unwrap();
    let (_, text) = failed(&executor, &future);
    assert!(text.contains("Trouble"), "{text}");
    let future = executor
        .submit(take, (trouble(What::Error, What::Nothing),))
        .unwrap();
    executor.shutdown(false);
    assert!(matches!(
        future.result(DEADLINE),
        Err(FutureError::Failed(_))
    ));
    executor.shutdown(true);
    // An executor that takes no calls does not look at their arguments.
    let refused = executor.submit(take, (trouble(What::Error, What::Nothing),));
    assert!(matches!(refused, Err(RuntimeError::AfterShutdown)));
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_error_at_task_unpickle
// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_crash_at_task_unpickle
// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_exit_at_task_unpickle
fn what_does_not_arrive_costs_itself_alone(method: StartMethod) {
    let take = |_: Trouble| ();
    let pool = executor(method);
    let future = pool
        .submit(take, (trouble(What::Nothing, What::Error),))
        .unwrap();
    let (name, text) = failed(&pool, &future);
    assert_eq!(name, "UnpicklingError");
    assert!(text.contains("Trouble"), "{text}");
    for (what, exitcode) in [(What::Crash, ABORTED), (What::Exit, Some(3))] {
        let executor = executor(method);
        let future = executor
            .submit(take, (trouble(What::Nothing, what),))
            .unwrap();
        assert_eq!(broken(&future), exitcode);
    }
}

fn a_result_with_too_many_handles_costs_itself_alone(method: StartMethod) {
    let executor = executor(method);
    let locks = || (0..254).map(|_| Lock::new().unwrap()).collect::<Vec<_>>();
    let future = executor.submit(locks, ()).unwrap();
    let (name, text) = failed(&executor, &future);
    assert_eq!(name, "PicklingError");
    assert!(text.contains("253 descriptors"), "{text}");
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_crash_during_func_exec_on_worker
fn a_call_that_crashes_breaks_the_pool(method: StartMethod) {
    let executor = executor(method);
    let future = executor.submit(|| std::process::abort(), ()).unwrap();
    assert_eq!(broken::<()>(&future), ABORTED);
    let error = executor.submit(mul, ((1, 2),)).unwrap_err();
    assert!(matches!(error, RuntimeError::Broken(_)));
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_exit_during_func_exec_on_worker
// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_error_during_func_exec_on_worker
fn a_call_that_leaves_costs_itself_alone(method: StartMethod) {
    let executor = executor(method);
    let future = executor.submit(|| hilos::threading::exit(), ()).unwrap();
    assert_eq!(failed::<()>(&executor, &future).0, "SystemExit");
    let fail = || Err::<(), _>("it went wrong".to_string());
    let future = executor.try_submit(fail, ()).unwrap();
    assert_eq!(failed(&executor, &future).1, "it went wrong");
    let future = executor
        .submit(|| -> () { panic!("it panicked") }, ())
        .unwrap();
    assert_eq!(
        failed(&executor, &future),
        ("panic", "it panicked".to_string())
    );
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_error_during_result_pickle_on_worker
// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_crash_during_result_pickle_on_worker
// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_exit_during_result_pickle_on_worker
// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_error_during_result_unpickle_in_result_handler
fn a_result_that_cannot_be_sent_costs_itself_alone(method: StartMethod) {
    let make = |leaving: What, arriving: What| trouble(leaving, arriving);
    let pool = executor(method);
    let future = pool.submit(make, (What::Error, What::Nothing)).unwrap();
    assert_eq!(failed(&pool, &future).0, "MaybeEncodingError");
    let future = pool.submit(make, (What::Nothing, What::Error)).unwrap();
    assert_eq!(failed(&pool, &future).0, "UnpicklingError");
    for (what, exitcode) in [(What::Crash, ABORTED), (What::Exit, Some(3))] {
        let executor = executor(method);
        let future = executor.submit(make, (what, What::Nothing)).unwrap();
        assert_eq!(broken(&future), exitcode);
    }
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_shutdown_deadlock
fn a_crash_after_the_shutdown(method: StartMethod) {
    let executor = executor(method);
    let (running, go) = (Event::new().unwrap(), Event::new().unwrap());
    let crash = |running: Event, go: Event| {
        running.set();
        go.wait(DEADLINE);
        std::process::abort()
    };
    let future = executor
        .submit(crash, (running.clone(), go.clone()))
        .unwrap();
    assert!(running.wait(DEADLINE));
    executor.shutdown(false);
    go.set();
    executor.shutdown(true);
    assert_eq!(broken::<()>(&future), ABORTED);
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_crash_big_data
fn a_crash_with_much_data_under_way(method: StartMethod) {
    let executor = executor(method);
    let data = "a".repeat(4 << 20);
    let crash = |_: String| -> i32 { std::process::abort() };
    // The pool may be broken before all of them are submitted.
    let future = executor.submit(crash, (data.clone(),)).unwrap();
    let more: Vec<_> = (0..9)
        .map_while(|_| executor.submit(crash, (data.clone(),)).ok())
        .collect();
    assert_eq!(broken(&future), ABORTED);
    more.iter()
        .for_each(|future| assert_eq!(broken(future), ABORTED));
    executor.shutdown(true);
}

// cpython: test_concurrent_futures/test_init.py::FailingInitializerResourcesTest::test_spawn
// cpython: test_concurrent_futures/test_init.py::FailingInitializerResourcesTest::test_forkserver
fn an_initializer_that_fails_breaks_the_pool(method: StartMethod) {
    let fail = |text: String| Err::<(), String>(text);
    let executor = executor(method)
        .with_initializer(fail, ("error in it".to_string(),))
        .unwrap();
    let first = executor.submit(mul, ((1, 2),)).unwrap();
    assert_eq!(broken(&first), None);
    let error = executor.submit(mul, ((1, 2),)).unwrap_err();
    assert!(error.to_string().contains("error in it"), "{error}");
    executor.shutdown(true);
    assert!(executor.processes().is_empty());
}

fn an_initializer_runs_in_every_process(method: StartMethod) {
    use std::sync::atomic::{AtomicI32, Ordering};
    static VALUE: AtomicI32 = AtomicI32::new(0);
    let set = |value: i32| VALUE.store(value, Ordering::Relaxed);
    let executor = executor(method).with_initializer(set, (5,)).unwrap();
    let times = |n: i32| n * VALUE.load(Ordering::Relaxed);
    let results = executor.map(times, 0..10).unwrap();
    let results: Vec<i32> = results.map(Result::unwrap).collect();
    assert_eq!(results, (0..10).map(|n| n * 5).collect::<Vec<_>>());
    assert_eq!(VALUE.load(Ordering::Relaxed), 0, "not in this process");
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_gh105829_should_not_deadlock_if_wakeup_pipe_full
#[test]
fn calls_are_submitted_faster_than_they_are_done() {
    let executor = ProcessPoolExecutor::new(2).unwrap();
    let (go, wait) = (Event::new().unwrap(), |go: Event| go.wait(DEADLINE));
    let first: Vec<_> = (0..2)
        .map(|_| executor.submit(wait, (go.clone(),)).unwrap())
        .collect();
    let results = executor.map(|n: u32| n, 0..5_000).unwrap();
    go.set();
    assert!(results.map(Result::unwrap).eq(0..5_000));
    first
        .iter()
        .for_each(|future| assert!(future.result(DEADLINE).unwrap()));
}

// cpython: test_concurrent_futures/test_process_pool.py::ProcessPoolExecutorTest::test_failed_worker_replacement_breaks_pool
#[test]
fn a_process_that_cannot_be_started_breaks_the_pool() {
    let test = || {
        let executor = ProcessPoolExecutor::new(1).unwrap();
        let executor = executor.with_max_tasks_per_child(1).unwrap();
        let first = executor.submit(mul, ((2, 3),)).unwrap();
        assert_eq!(first.result(DEADLINE).unwrap(), 6);
        // No descriptor is left for the next process.
        let limit = nix::sys::resource::Resource::RLIMIT_NOFILE;
        let (_, hard) = nix::sys::resource::getrlimit(limit).unwrap();
        nix::sys::resource::setrlimit(limit, 3, hard).unwrap();
        let second = executor.submit(mul, ((2, 3),)).unwrap();
        let third = executor.submit(mul, ((2, 3),));
        assert_eq!(broken(&second), None);
        if let Ok(third) = third {
            assert_eq!(broken(&third), None);
        }
        nix::sys::resource::setrlimit(limit, hard, hard).unwrap();
        assert!(executor.submit(mul, ((2, 3),)).is_err());
        executor.shutdown(true);
    };
    crate::backend::with_one_thread(hilos::multiprocessing::Process::new(test, ()));
}

// cpython: test_concurrent_futures/test_deadlock.py::ExecutorDeadlockTest::test_exit_during_result_unpickle_in_result_handler
#[test]
fn a_result_that_ends_the_program_when_it_arrives() {
    // In the program's own process nobody can be protected from that: here it ends a child.
    let test = hilos::multiprocessing::Process::new(
        || {
            let executor = ProcessPoolExecutor::new(1).unwrap();
            let make = || trouble(What::Nothing, What::Exit);
            let _ = executor.submit(make, ()).unwrap().result(DEADLINE);
        },
        (),
    );
    test.start().unwrap();
    test.join(DEADLINE).unwrap();
    assert_eq!(test.exitcode(), Some(3));
}

#[test]
fn a_process_that_closes_its_end_and_runs_on_is_killed() {
    let executor = executor(StartMethod::Spawn);
    let close_all = || -> () {
        for fd in 3..100 {
            let _ = nix::unistd::close(fd);
        }
        loop {
            std::thread::park();
        }
    };
    let future = executor.submit(close_all, ()).unwrap();
    assert_eq!(broken(&future), Some(-9));
}

#[test]
fn a_process_that_dies_is_missed_though_its_own_child_lives_on() {
    let executor = executor(StartMethod::Spawn);
    let done = Event::new().unwrap();
    let leave_a_child = |done: Event| -> () {
        // SAFETY: the copy waits for a word in shared memory and ends by a signal.
        if let ForkResult::Child = unsafe { fork() }.unwrap() {
            done.wait(DEADLINE);
            let _ = raise(Signal::SIGKILL);
        }
        std::process::abort();
    };
    let future = executor.submit(leave_a_child, (done.clone(),)).unwrap();
    assert_eq!(broken(&future), ABORTED);
    done.set();
}
