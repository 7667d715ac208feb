//! What a pool over a network falls into if it is made without care.

use std::time::Duration;

use hilos::cluster::{ClusterPool, status};

use crate::functions::{nap, note, note_nap, square};
use crate::proxy::Proxy;
use crate::runner::{Case, PATIENCE, until};
use crate::server::{Server, Worker, lines};

pub(crate) const CASES: &[Case] = &[
    ("traps::lost_delivery_is_claimed", lost_delivery_is_claimed),
    (
        "traps::recovery_runs_nothing_twice",
        recovery_runs_nothing_twice,
    ),
    (
        "traps::lost_result_is_read_again",
        lost_result_is_read_again,
    ),
    ("traps::lost_submit_adds_nothing", lost_submit_adds_nothing),
    (
        "traps::lost_completion_counts_once",
        lost_completion_counts_once,
    ),
    (
        "traps::loading_server_is_waited_for",
        loading_server_is_waited_for,
    ),
    (
        "traps::slow_receipts_lose_no_results",
        slow_receipts_lose_no_results,
    ),
];

/// A worker must renew what it has, and not what the server believes that it has.
fn lost_delivery_is_claimed() {
    let server = Server::start();
    let proxy = Proxy::new(server.port);
    let _worker = Worker::start(&proxy.url(), "q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    assert_eq!(pool.apply(square, (2,)).unwrap(), 4);
    // The task is delivered, and the reply that says so gets lost.
    proxy.lose_reply_to("XREADGROUP");
    while !proxy.has_lost() {
        let job = pool.apply_async(square, (1,)).unwrap();
        assert!(
            job.wait(PATIENCE),
            "what was delivered in the lost reply hangs"
        );
    }
    let job = pool.with_chunksize(1).map_async(square, 0..50).unwrap();
    assert!(job.wait(PATIENCE));
}

/// After the connection was lost, what is absent must be looked up before the results are read.
fn recovery_runs_nothing_twice() {
    let server = Server::start();
    let proxy = Proxy::new(server.port);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let _workers = [1, 2].map(|_| server.worker("q", &["--slots", "1"]));
    let pool = ClusterPool::new(&proxy.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let job = pool
        .starmap_async(note, (0..3000).map(|n| (name.clone(), n)))
        .unwrap();
    for _ in 0..5 {
        proxy.lose_reply_to("EVALSHA");
        until("a reply is lost", || proxy.has_lost() || job.ready());
    }
    assert_eq!(job.get(None).unwrap().len(), 3000);
    assert_eq!(lines(&path).len(), 3000, "something has run twice");
}

/// Reading a result must not take it away.
fn lost_result_is_read_again() {
    let server = Server::start();
    let proxy = Proxy::new(server.port);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let _worker = server.worker("q", &["--slots", "1"]);
    let pool = ClusterPool::new(&proxy.url(), "q").unwrap();
    for n in 0..10 {
        proxy.lose_reply_to("XREAD");
        assert_eq!(pool.apply(note, (name.clone(), n)).unwrap(), 2 * n);
        until("the reply is lost", || proxy.has_lost());
    }
    assert_eq!(lines(&path).len(), 10);
}

/// A submit whose reply is lost may have been applied, and is repeated.
fn lost_submit_adds_nothing() {
    let server = Server::start();
    let proxy = Proxy::new(server.port);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let pool = ClusterPool::new(&proxy.url(), "q")
        .unwrap()
        .with_chunksize(1);
    pool.apply_async(note, (name.clone(), 0)).unwrap();
    until("the script is known", || {
        server.number("XLEN hilos:{q}:tasks") == 1
    });
    proxy.lose_reply_to("EVALSHA");
    let job = pool
        .starmap_async(note, (1..500).map(|n| (name.clone(), n)))
        .unwrap();
    until("the reply is lost", || proxy.has_lost());
    until("all are there", || {
        server.number("XLEN hilos:{q}:tasks") >= 500
    });
    let _worker = server.worker("q", &["--slots", "2"]);
    assert_eq!(job.get(None).unwrap().len(), 499);
    until("the first is done", || lines(&path).len() >= 500);
    assert_eq!(lines(&path).len(), 500, "some were added twice");
    assert_eq!(status(&server.url(), "q").unwrap().submitted, 500);
}

/// An outcome whose reply is lost is answered again, and recorded once.
fn lost_completion_counts_once() {
    let server = Server::start();
    let proxy = Proxy::new(server.port);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let _worker = Worker::start(&proxy.url(), "q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    for n in 0..10 {
        proxy.lose_reply_to("EVALSHA");
        assert_eq!(pool.apply(note, (name.clone(), n)).unwrap(), 2 * n);
        until("the reply is lost", || proxy.has_lost());
    }
    assert_eq!(status(&server.url(), "q").unwrap().done, 10);
    assert_eq!(lines(&path).len(), 10);
}

/// A server that has just started refuses everything until its data is loaded.
fn loading_server_is_waited_for() {
    let mut server =
        Server::with_options(&["--enable-debug-command", "yes", "--key-load-delay", "2000"]);
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    // An append-only file that begins with a snapshot is loaded key by key.
    for part in 0..200 {
        server.command(&format!("SET filler{part} x"));
    }
    let job = pool.map_async(square, 0..100).unwrap();
    until("all are there", || {
        server.number("XLEN hilos:{q}:tasks") == 100
    });
    server.command("BGREWRITEAOF");
    let idle = || server.number("XLEN hilos:{q}:tasks") == 100;
    until("the file is rewritten", idle);
    let _worker = server.worker("q", &["--slots", "2"]);
    server.kill();
    server.run();
    assert_eq!(job.get(None).unwrap().len(), 100);
}

/// A worker that cannot answer in time keeps its tasks as long as it lives.
fn slow_receipts_lose_no_results() {
    let server = Server::start();
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let _workers = [1, 2].map(|_| server.worker("q", &["--slots", "1"]));
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    // Three times as long as a lease.
    let long: Vec<_> = (0..2)
        .map(|n| pool.apply_async(note_nap, (name.clone(), n, 3000)).unwrap())
        .collect();
    for (n, job) in (0..).zip(long) {
        assert_eq!(job.get(Duration::from_secs(60)).unwrap(), 2 * n);
    }
    assert_eq!(lines(&path).len(), 2, "a lease was not renewed");
    assert_eq!(status(&server.url(), "q").unwrap().retried, 0);
    pool.apply(nap, (1,)).unwrap();
}
