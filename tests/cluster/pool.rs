//! The pool's calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use hilos::cluster::{Cluster as _, ClusterPool};
use hilos::multiprocessing::Pool;
use hilos::multiprocessing::pool::JobError;

use crate::functions::{add, fail, length, nap, note, note_nap, power, square, zeros};
use crate::runner::{Case, PATIENCE, until};
use crate::server::{Server, lines};

pub(crate) const CASES: &[Case] = &[
    (
        "pool::same_calls_as_a_local_pool",
        same_calls_as_a_local_pool,
    ),
    ("pool::imap_is_bounded", imap_is_bounded),
    ("pool::callbacks_and_progress", callbacks_and_progress),
    ("pool::errors", errors),
    ("pool::timeouts", timeouts),
    ("pool::cancel_queued", cancel_queued),
    ("pool::cancel_running", cancel_running),
    ("pool::close_and_join", close_and_join),
    ("pool::terminate", terminate),
    ("pool::large_payloads", large_payloads),
    ("pool::window", window),
];

/// A server, a worker of two slots and a pool.
macro_rules! stage {
    ($server:ident, $worker:ident, $pool:ident) => {
        let $server = Server::start();
        let $worker = $server.worker("q", &["--slots", "2"]);
        let $pool = ClusterPool::new(&$server.url(), "q").unwrap();
    };
}

fn same_calls_as_a_local_pool() {
    stage!(server, _worker, _pool);
    let (here, there) = (
        Pool::new(2).unwrap(),
        Pool::cluster(&server.url(), "q").unwrap(),
    );
    assert_eq!(
        there.map(square, 0..1000).unwrap(),
        here.map(square, 0..1000).unwrap()
    );
    assert_eq!(there.with_chunksize(1).map(square, 0..10).unwrap()[9], 81);
    assert_eq!(there.map(square, []).unwrap(), []);
    assert_eq!(
        there.apply(power, (2, 10)).unwrap(),
        here.apply(power, (2, 10)).unwrap()
    );
    assert_eq!(there.starmap(add, [(1, 2), (3, 4)]).unwrap(), [3, 7]);
    let in_order: Result<Vec<i64>, _> = there.imap(square, 0..100).collect();
    assert_eq!(in_order.unwrap(), (0..100).map(square).collect::<Vec<_>>());
    let any_order: Result<Vec<i64>, _> = there.imap_unordered(square, 0..100).collect();
    let mut any_order = any_order.unwrap();
    any_order.sort_unstable();
    assert_eq!(any_order, (0..100).map(square).collect::<Vec<_>>());
    let job = there.apply_async(square, (12,)).unwrap();
    assert!(job.wait(PATIENCE) && job.ready() && job.successful().unwrap());
    assert_eq!(job.get(None).unwrap(), 144);
}

fn imap_is_bounded() {
    stage!(server, _worker, pool);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = pulled.clone();
    let endless = (0..).inspect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let mut results = pool.with_buffersize(20).imap(square, endless);
    for n in 0..100 {
        assert_eq!(results.next().unwrap().unwrap(), n * n);
        let pulled = pulled.load(Ordering::Relaxed) as i64;
        assert!(pulled <= n + 21, "{pulled} taken ahead of {n}");
    }
    drop(results);
    assert_eq!(pool.apply(note, (name, 4)).unwrap(), 8);
    assert_eq!(lines(&path), ["4"]);
}

fn callbacks_and_progress() {
    stage!(_server, _worker, pool);
    let (results, collected) = channel();
    for n in 0..10 {
        let results = results.clone();
        let job = pool.apply_async(square, (n,)).unwrap();
        let _ = job.with_callback(move |square| results.send(*square).unwrap());
    }
    drop(results);
    assert_eq!(collected.iter().sum::<i64>(), 285);
    let (errors, collected) = channel();
    let job = pool.apply_async(fail, ("no".to_owned(),)).unwrap();
    let _ = job.with_error_callback(move |error| errors.send(error.to_string()).unwrap());
    assert!(collected.recv_timeout(PATIENCE).unwrap().contains("no"));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let watched = pool.with_chunksize(10).with_progress(move |done, total| {
        assert_eq!(total, 95);
        seen.fetch_max(done, Ordering::Relaxed);
    });
    watched.map(square, 0..95).unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 95);
}

fn errors() {
    stage!(_server, _worker, pool);
    match pool.apply(fail, ("out of ink".to_owned(),)) {
        Err(JobError::Failed(failure)) => {
            assert_eq!(failure.message(), "out of ink");
            assert!(failure.place().unwrap().contains("functions.rs"));
        }
        other => panic!("{other:?}"),
    }
    let unknown = pool.apply(|x: i64| x, (1,)).unwrap_err();
    assert!(unknown.to_string().contains("register!"), "{unknown}");
    // The one that fails does not keep the others from running.
    let map = pool
        .with_chunksize(1)
        .starmap(power, [(2, 3), (i64::MAX, 3), (3, 2)]);
    assert!(matches!(map, Err(JobError::Failed(_))), "{map:?}");
    assert_eq!(pool.apply(square, (5,)).unwrap(), 25);
}

fn timeouts() {
    stage!(_server, _worker, pool);
    let job = pool.apply_async(nap, (60_000,)).unwrap();
    assert_eq!(job.get(0.05), Err(JobError::NotReady));
    pool.cancel(&job);
    let limited = pool.with_timeout(0.2);
    assert_eq!(limited.apply(nap, (60_000,)), Err(JobError::TimedOut));
    assert_eq!(limited.apply(square, (3,)).unwrap(), 9);
}

fn cancel_queued() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let path = server.file("log").to_str().unwrap().to_owned();
    let jobs = [1, 2, 3].map(|n| pool.apply_async(note, (path.clone(), n)).unwrap());
    until("they are queued", || {
        server.number("XLEN hilos:{q}:tasks") == 3
    });
    assert!(pool.cancel(&jobs[1]));
    assert_eq!(jobs[1].get(None), Err(JobError::Cancelled));
    assert!(!pool.cancel(&jobs[1]));
    until("it is taken back", || {
        server.number("XLEN hilos:{q}:tasks") == 2
    });
    let _worker = server.worker("q", &["--slots", "1"]);
    assert_eq!(
        [&jobs[0], &jobs[2]].map(|job| job.get(None).unwrap()),
        [2, 6]
    );
    assert_eq!(lines(&server.file("log")), ["1", "3"]);
}

fn cancel_running() {
    let server = Server::start();
    let worker = server.worker("q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let job = pool.apply_async(note_nap, (name, 1, 3_600_000)).unwrap();
    until("it runs", || !lines(&path).is_empty());
    assert!(pool.cancel(&job));
    assert_eq!(job.get(None), Err(JobError::Cancelled));
    // The only slot is free again, long before the hour is over.
    assert_eq!(pool.apply(square, (6,)).unwrap(), 36);
    drop(worker);
    assert_eq!(lines(&path).len(), 1);
}

fn close_and_join() {
    stage!(server, _worker, pool);
    let jobs: Vec<_> = (0..20)
        .map(|n| pool.apply_async(square, (n,)).unwrap())
        .collect();
    assert!(pool.join(0).is_err(), "it is running");
    pool.close();
    assert_eq!(pool.apply(square, (1,)), Err(JobError::NotRunning));
    pool.join(PATIENCE).unwrap();
    assert!(jobs.iter().all(|job| job.ready()));
    assert_eq!(server.number("EXISTS hilos:{q}:tasks"), 1);
    assert_eq!(server.command("KEYS hilos:{q}:submitted:*"), "*0");
    assert_eq!(server.command("KEYS hilos:{q}:results:*"), "*0");
}

fn terminate() {
    stage!(server, _worker, pool);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let long = pool.apply_async(note_nap, (name, 1, 3_600_000)).unwrap();
    until("it runs", || !lines(&path).is_empty());
    let queued: Vec<_> = (0..5)
        .map(|_| pool.apply_async(nap, (3_600_000,)).unwrap())
        .collect();
    pool.terminate();
    pool.join(PATIENCE).unwrap();
    assert_eq!(long.get(None), Err(JobError::Terminated));
    assert!(
        queued
            .iter()
            .all(|job| job.get(None) == Err(JobError::Terminated))
    );
    // The worker is nobody's, and goes on.
    let other = ClusterPool::new(&server.url(), "q").unwrap();
    assert_eq!(other.starmap(add, [(1, 1), (2, 2)]).unwrap(), [2, 4]);
}

fn large_payloads() {
    // Without a file that they all are written to.
    let server = Server::with_options(&["--appendonly", "no"]);
    let _worker = server.worker("q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    // A string is as long as its bytes and four that say how many; a list of one has one more.
    let largest = (64 << 20) - 6;
    assert_eq!(pool.apply(length, (zeros(largest),)).unwrap(), largest);
    assert_eq!(pool.apply(zeros, (8 << 20,)).unwrap().len(), 8 << 20);
    let refused = pool
        .apply(length, (zeros(65 << 20),))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("64 MiB") && refused.contains("chunksize"),
        "{refused}"
    );
    let refused = pool.apply(zeros, (65 << 20,)).unwrap_err().to_string();
    assert!(
        refused.contains("64 MiB") && refused.contains("results of zeros"),
        "{refused}"
    );
    assert_eq!(pool.apply(square, (2,)).unwrap(), 4);
}

fn window() {
    let server = Server::start();
    let builder = ClusterPool::builder(&server.url(), "q").with_window(50);
    let pool = builder
        .with_expiry(Duration::from_secs(30))
        .build()
        .unwrap();
    let jobs = pool.with_chunksize(1).map_async(square, 0..500).unwrap();
    until("the window is full", || {
        server.number("XLEN hilos:{q}:tasks") == 50
    });
    let _worker = server.worker("q", &["--slots", "2"]);
    assert_eq!(jobs.get(None).unwrap().len(), 500);
}
