//! `_TestPoolWorkerLifetime`: how pools and workers begin and end.

use std::collections::HashSet;
use std::time::Duration;

use hilos::multiprocessing::pool::{JobError, Pool};
use hilos::multiprocessing::{Error, Process, StartMethod};

use super::{pool, square};
use crate::support::LONG;

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

#[test]
fn a_state_has_pythons_name() {
    let pool = Pool::new(1).unwrap();
    pool.close();
    assert!(pool.to_string().contains("state=CLOSE"));
    pool.terminate();
    assert_eq!(
        pool.to_string(),
        "<multiprocessing.pool.Pool state=TERMINATE pool_size=1>"
    );
}

#[test]
fn with_terminates_however_it_ends() {
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.with(|pool| pool.apply(square, (4,))), Ok(16));
    assert_eq!(pool.apply(square, (4,)), Err(JobError::NotRunning));
    pool.join(LONG).unwrap();
    let pool = Pool::new(2).unwrap();
    let panic = || pool.with(|_| panic!("in the block"));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panic)).unwrap_err();
    pool.join(LONG).unwrap();
}

#[test]
fn the_last_handle_terminates() {
    let pool = Pool::new(2).unwrap();
    let other = pool.with_chunksize(3);
    let job = pool.apply_async(std::thread::park, ()).unwrap();
    drop(pool);
    assert_eq!(other.apply(square, (5,)), Ok(25));
    drop(other);
    assert_eq!(job.get(LONG), Err(JobError::Terminated));
}

#[test]
fn a_pool_that_is_closed_at_any_moment_ends() {
    for _ in 0..50 {
        let pool = Pool::new(1).unwrap();
        let job = pool.apply_async(square, (3,)).unwrap();
        pool.close();
        pool.join(LONG).unwrap();
        assert_eq!(job.get(0), Ok(9));
    }
}

// cpython: _test_multiprocessing.py::_TestPoolWorkerLifetime::test_worker_finalization_via_atexit_handler_of_multiprocessing
#[test]
fn a_worker_runs_its_exit_hooks() {
    fn register(path: String) {
        hilos::threading::register_atexit(move || std::fs::write(&path, "done").unwrap()).unwrap();
    }
    let directory = super::Directory::new("exit-hooks");
    let path = directory.path("hook");
    let builder = Pool::builder().processes(1);
    let pool = builder.initializer(register, (path.clone(),)).build();
    let pool = pool.unwrap();
    assert_eq!(pool.apply(square, (2,)), Ok(4));
    pool.close();
    pool.join(LONG).unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "done");
}

// cpython: _test_multiprocessing.py::TestPoolNotLeakOnFailure::test_release_unused_processes
#[test]
fn a_pool_that_cannot_start_all_its_workers_leaves_none() {
    fn test() {
        use nix::sys::resource::{Resource, setrlimit};
        setrlimit(Resource::RLIMIT_NOFILE, 40, 40).unwrap();
        let refused = Pool::new(50).unwrap_err();
        assert!(matches!(refused, Error::Os(_)), "{refused:?}");
        assert!(hilos::multiprocessing::active_children().is_empty());
        assert_eq!(Pool::new(2).unwrap().apply(square, (2,)), Ok(4));
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

// cpython: _test_multiprocessing.py::TestStdinBadfiledescriptor::test_pool_in_process
#[test]
fn a_pool_in_a_process_without_standard_input() {
    fn test() {
        nix::unistd::close(0).unwrap();
        for method in [StartMethod::ForkServer, StartMethod::Spawn] {
            let pool = Pool::builder().processes(2).start_method(method).build();
            assert_eq!(pool.unwrap().map(square, 0..3), Ok(vec![0, 1, 4]));
        }
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn a_pool_of_forked_workers() {
    fn test() {
        let builder = Pool::builder().processes(2).max_tasks_per_child(5);
        let pool = builder.start_method(StartMethod::Fork).build().unwrap();
        let squares = pool.with_chunksize(1).map(square, 0..50).unwrap();
        assert_eq!(squares, (0..50).map(square).collect::<Vec<_>>());
        pool.close();
        pool.join(LONG).unwrap();
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn an_idle_worker_has_little_memory_of_its_own() {
    let pool = Pool::new(1).unwrap();
    let pid = pool.apply(std::process::id, ()).unwrap();
    let table = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let private = table.lines().filter(|line| line.starts_with("Private_"));
    let kib = private.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u32>());
    let kib: u32 = kib.map(Result::unwrap).sum();
    assert!(kib > 0 && kib <= 2048, "{kib} KiB");
}
