//! `ThreadPool`, of which CPython tests what it tests of `Pool`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};

use hilos::multiprocessing::Error;
use hilos::multiprocessing::pool::{JobError, ThreadPool};
use hilos::threading;

use super::square;
use crate::support::LONG;

fn pool() -> ThreadPool {
    ThreadPool::new(4).unwrap()
}

#[test]
fn any_closure_and_any_value() {
    let pool = pool();
    let factor = Arc::new(3);
    let times = move |number: i64| Arc::new(*factor * number);
    let products = pool.map(times, 0..100).unwrap();
    assert!(
        products
            .iter()
            .map(|product| **product)
            .eq((0..100).map(|n| 3 * n))
    );
    let mut text = String::from("a");
    let append = move |more: &'static str| {
        text.push_str(more);
        text
    };
    assert_eq!(pool.apply(append, ("b",)), Ok("ab".into()));
    assert_eq!(pool.starmap(i64::pow, [(2, 3), (10, 2)]), Ok(vec![8, 100]));
    let sums = pool.starmap_async(|a: u8, b: u8| a + b, [(1, 2), (3, 4)]);
    assert_eq!(sums.unwrap().get(LONG), Ok(vec![3, 7]));
    assert_eq!(pool.map(square, []), Ok(vec![]));
}

#[test]
fn imaps_yield_everything() {
    let pool = pool();
    for chunksize in [1, 7, 1000] {
        let pool = pool.with_chunksize(chunksize);
        assert!(
            pool.imap(square, 0..100)
                .map(Result::unwrap)
                .eq((0..100).map(square))
        );
        let mut results: Vec<_> = pool
            .imap_unordered(square, 0..100)
            .map(Result::unwrap)
            .collect();
        results.sort_unstable();
        assert!(results.into_iter().eq((0..100).map(square)));
    }
    // The iterator keeps its pool.
    let results = ThreadPool::new(2).unwrap().imap_unordered(square, 0..50);
    assert_eq!(results.filter(Result::is_ok).count(), 50);
}

#[test]
fn the_jobs_run_at_the_same_time() {
    let pool = ThreadPool::new(3).unwrap().with_chunksize(1);
    let meeting = Arc::new(Barrier::new(3));
    let leaders = pool.map(move |_| meeting.wait().is_leader(), 0..3).unwrap();
    assert_eq!(leaders.iter().filter(|leader| **leader).count(), 1);
    let names = pool.map(|_| threading::current_thread().name(), 0..3);
    let names = names.unwrap();
    assert!(
        names.iter().all(|name| name.starts_with("Thread-")),
        "{names:?}"
    );
}

#[test]
fn a_panic_is_its_jobs() {
    let pool = pool();
    let Err(JobError::Failed(failure)) = pool.apply(|| -> u8 { panic!("123") }, ()) else {
        panic!("it panicked")
    };
    assert_eq!((failure.type_name(), failure.message()), ("panic", "123"));
    assert!(failure.place().unwrap().contains("threads.rs"));
    let run = Arc::new(AtomicUsize::new(0));
    let counter = run.clone();
    let count = move |number: u32| {
        counter.fetch_add(1, Ordering::Relaxed);
        assert_ne!(number, 0, "the first item");
    };
    assert!(pool.with_chunksize(1).map(count, 0..20).is_err());
    assert_eq!(run.load(Ordering::Relaxed), 20, "the others were run");
    assert_eq!(pool.apply(square, (3,)), Ok(9));
}

#[test]
fn results_come_later() {
    let pool = pool();
    let (go, wait) = mpsc::channel::<()>();
    let job = pool.apply_async(move || wait.recv().is_ok(), ()).unwrap();
    assert_eq!(job.get(0.01), Err(JobError::NotReady));
    assert!(!job.ready());
    go.send(()).unwrap();
    assert_eq!(job.get(LONG), Ok(true));
    assert!(job.successful().unwrap());
}

#[test]
fn a_job_that_is_done_keeps_nothing() {
    let pool = pool();
    let values: Vec<Arc<u32>> = (0..10).map(Arc::new).collect();
    let weak: Vec<_> = values.iter().map(Arc::downgrade).collect();
    let shared = Arc::new(());
    let captured = shared.clone();
    let identity = move |value: Arc<u32>| {
        let _ = &captured;
        value
    };
    drop(pool.map(identity, values).unwrap());
    assert!(weak.iter().all(|value| value.strong_count() == 0));
    crate::support::wait_until("the function to be dropped", || {
        Arc::strong_count(&shared) == 1
    });
}

#[test]
fn a_closed_pool_does_what_it_has() {
    let pool = pool();
    let map = pool.map_async(square, 0..1000).unwrap();
    let running = pool.join(0).unwrap_err();
    assert_eq!(format!("{running:?}"), "ValueError: Pool is still running");
    pool.close();
    assert_eq!(pool.apply(square, (1,)), Err(JobError::NotRunning));
    pool.join(LONG).unwrap();
    assert_eq!(map.get(0).unwrap().len(), 1000);
}

#[test]
fn a_terminated_pool_drops_what_has_not_begun() {
    let pool = ThreadPool::new(1).unwrap();
    let (go, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let first = pool.apply_async(
        move || {
            begun.send(()).unwrap();
            wait.recv().is_ok()
        },
        (),
    );
    has_begun.recv().unwrap();
    let second = pool.apply_async(square, (2,)).unwrap();
    pool.terminate();
    assert_eq!(second.get(LONG), Err(JobError::Terminated));
    assert!(matches!(pool.join(0.01), Err(Error::Timeout)));
    go.send(()).unwrap();
    pool.join(LONG).unwrap();
    assert_eq!(first.unwrap().get(LONG), Ok(true));
    let expected = "<multiprocessing.pool.ThreadPool state=TERMINATE pool_size=1>";
    assert_eq!(format!("{pool:?}"), expected);
}

#[test]
fn the_block_and_the_last_handle_terminate() {
    let pool = pool();
    assert_eq!(pool.with(|pool| pool.apply(square, (4,))), Ok(16));
    assert_eq!(pool.apply(square, (4,)), Err(JobError::NotRunning));
    let pool = ThreadPool::new(1).unwrap();
    let (go, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let wait = move || {
        begun.send(()).unwrap();
        let _ = wait.recv();
    };
    let running = pool.apply_async(wait, ()).unwrap();
    let pending = pool.apply_async(square, (2,)).unwrap();
    has_begun.recv().unwrap();
    drop(pool);
    assert_eq!(pending.get(LONG), Err(JobError::Terminated));
    drop(go);
    assert_eq!(running.get(LONG), Ok(()));
}

// cpython: _test_multiprocessing.py::TestInitializers::test_pool_initializer
#[test]
fn the_initializer_runs_in_every_thread() {
    let refused = ThreadPool::new(0).unwrap_err();
    let text = "ValueError: Number of processes must be at least 1";
    assert_eq!(format!("{refused:?}"), text);
    let (tell, told) = mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let initializer = move || tell.lock().unwrap().send(threading::get_ident()).unwrap();
    let builder = ThreadPool::builder().processes(3);
    let pool = builder.initializer(initializer).build().unwrap();
    let idents: std::collections::HashSet<_> = told.iter().take(3).collect();
    assert_eq!(idents.len(), 3);
    assert_eq!(pool.apply(square, (2,)), Ok(4));
    let broken = ThreadPool::builder().processes(2);
    let broken = broken
        .initializer(|| Err::<(), _>("no table"))
        .build()
        .unwrap();
    let Err(JobError::Broken(failure)) = broken.apply(square, (1,)) else {
        panic!()
    };
    assert_eq!(failure.message(), "no table");
}
