//! What a pool over a network falls into if it is made without care.
//!
//! 1. Leases are renewed that the server lists, although a reply was lost: the task hangs.
//! 2. After a new connection, what has just been done is taken for lost, and run again.
//! 3. Reading a result takes it away: a lost reply loses it.
//! 4. A submit whose reply was lost is repeated: its tasks run twice.
//! 5. A server that starts refuses everything, and a connection does not come back by itself.
//! 6. Tasks are brought one by one, each waiting for its receipt; those that wait at a worker are not renewed.

use std::time::Duration;

use hilos::cluster::{ClusterPool, status};

use crate::forgetful::run_ahead;
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
        "traps::forgetful_server_runs_nothing_twice",
        forgetful_server_runs_nothing_twice,
    ),
    (
        "traps::lost_result_is_read_again",
        lost_result_is_read_again,
    ),
    ("traps::lost_submit_adds_nothing", lost_submit_adds_nothing),
    ("traps::clock_may_go_back", clock_may_go_back),
    ("traps::late_submit_adds_nothing", late_submit_adds_nothing),
    (
        "traps::lost_completion_counts_once",
        lost_completion_counts_once,
    ),
    (
        "traps::loading_server_is_waited_for",
        loading_server_is_waited_for,
    ),
    ("traps::submits_go_together", submits_go_together),
    (
        "traps::waiting_tasks_are_renewed",
        waiting_tasks_are_renewed,
    ),
    (
        "traps::slow_receipts_lose_no_results",
        slow_receipts_lose_no_results,
    ),
];

/// The first trap: a worker must renew what it has, and not what the server believes that it has.
fn lost_delivery_is_claimed() {
    let server = Server::start();
    let proxy = Proxy::new(server.port);
    let _worker = Worker::start(&proxy.url(), "q", &["--slots", "2"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    // It has another one, whose lease it goes on renewing.
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let _long = pool.apply_async(note_nap, (name, 0, 3_600_000)).unwrap();
    until("it runs", || !lines(&path).is_empty());
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

/// The second trap: after the connection was lost, only what the server does not know may be sent again.
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

/// A server that has lost its last moments must not have done tasks run again.
fn forgetful_server_runs_nothing_twice() {
    let mut server = Server::start();
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let items = (0..500).map(|n| (name.clone(), n));
    let job = pool.starmap_async(note, items).unwrap();
    let tasks = |server: &Server| server.number("XLEN hilos:{q}:tasks");
    until("all are there", || tasks(&server) == 500);
    server.save();
    let worker = server.worker("q", &["--slots", "2"]);
    assert_eq!(job.get(None).unwrap().len(), 500);
    drop(worker);
    server.kill();
    server.restore();
    server.run();
    until("they are taken back", || tasks(&server) == 0);
    let _worker = server.worker("q", &["--slots", "2"]);
    assert_eq!(pool.apply(note, (name, 500)).unwrap(), 1000);
    assert_eq!(lines(&path).len(), 501);
}

/// The third trap: reading a result must not take it away.
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

/// A server that comes back empty may count its results from an earlier time, by another clock.
fn clock_may_go_back() {
    let mut server = Server::start();
    let _workers = [1, 2].map(|_| server.worker("q", &["--slots", "1"]));
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    assert_eq!(pool.apply(square, (1,)).unwrap(), 1);
    run_ahead(&server);
    assert_eq!(pool.apply(square, (2,)).unwrap(), 4);
    let job = pool.map_async(square, 0..5000).unwrap();
    server.kill();
    server.wipe();
    server.run();
    assert!(job.wait(PATIENCE), "some results were dropped unread");
}

/// The fourth trap: a submit whose reply is lost may have been applied, and is repeated.
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

/// The fourth trap, too: what was submitted may arrive after the client has sent it again.
fn late_submit_adds_nothing() {
    let server = Server::start();
    let proxy = Proxy::new(server.port);
    let pool = ClusterPool::new(&proxy.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let tasks = || server.number("XLEN hilos:{q}:tasks");
    let first = pool.apply_async(square, (0,)).unwrap();
    until("the script is known", || tasks() == 1);
    proxy.delay("EVALSHA");
    let job = pool.map_async(square, 1..500).unwrap();
    until("the submit is delayed", || proxy.is_delayed());
    until("all are sent again", || tasks() == 500);
    proxy.deliver();
    until("the late one has arrived", || proxy.has_lost());
    assert_eq!(tasks(), 500, "some were added twice");
    let _worker = server.worker("q", &["--slots", "2"]);
    assert_eq!(job.get(None).unwrap().len(), 499);
    assert_eq!(first.get(None).unwrap(), 0);
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

/// The fifth trap: a server that has just started refuses everything until its data is loaded.
fn loading_server_is_waited_for() {
    // A file that begins with a snapshot is loaded key by key, and commands are answered at times.
    let mut server = Server::with_options(&[
        "--key-load-delay",
        "5000",
        "--loading-process-events-interval-bytes",
        "1024",
    ]);
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    for part in 0..300 {
        // What compresses well would be short.
        let noise = (0..60).map(|n| format!("{:x}", n * 7919 * (part + 13)));
        server.command(&format!("SET filler{part} {}", noise.collect::<String>()));
    }
    let job = pool.map_async(square, 0..100).unwrap();
    until("all are there", || {
        server.number("XLEN hilos:{q}:tasks") == 100
    });
    server.command("BGREWRITEAOF");
    until("the file is rewritten", || {
        server.number(
            "EVAL \"return tonumber(string.match(redis.call('INFO', 'persistence'), \
             'aof_rewrite_in_progress:(%d)'))\" 0",
        ) == 0
    });
    let _worker = server.worker("q", &["--slots", "2"]);
    until("there is a worker", || {
        status(&server.url(), "q").unwrap().slots() == 2
    });
    server.kill();
    server.begin();
    let answers = |what: &str| {
        let answer = server.try_command("PING");
        answer.is_some_and(|answer| answer.starts_with(what))
    };
    until("it loads", || answers("-LOADING"));
    // Those who have lost it come back in the meantime.
    assert_eq!(job.get(None).unwrap().len(), 100);
    assert_eq!(pool.apply(square, (7,)).unwrap(), 49);
}

/// The sixth trap: many tasks are brought at once, and nobody waits for a receipt of each.
fn submits_go_together() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let job = pool.map_async(square, 0..2000).unwrap();
    until("all are there", || {
        server.number("XLEN hilos:{q}:tasks") == 2000
    });
    let calls = server.number(
        "EVAL \"return tonumber(string.match(redis.call('INFO', 'commandstats'), \
        'cmdstat_evalsha:calls=(%d+)'))\" 0",
    );
    assert!(calls < 100, "2,000 tasks took {calls} calls of the server");
    pool.terminate();
    assert!(job.wait(PATIENCE));
}

/// How many tasks a worker has, if all of them have been renewed in the last 60 ms.
const RENEWED: &str = "EVAL \"local held = redis.pcall('XPENDING', KEYS[1], 'workers', '-', '+', 100) \
    for _, task in ipairs(held) do if task[3] > 60 then return 0 end end return #held\" 1 hilos:{q}:tasks";

/// The sixth trap, too: what waits behind another task is renewed like that.
fn waiting_tasks_are_renewed() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1", "--lease", "0.06"]);
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    // A busy machine may spoil some rounds.
    until("those that wait are renewed", || {
        // Short ones first, so that the worker fetches ahead.
        pool.map(square, 0..500).unwrap();
        let begun = lines(&path).len();
        let long = pool.apply_async(note_nap, (name.clone(), 0, 160)).unwrap();
        let short = pool.map_async(square, 0..50).unwrap();
        until("the long one runs", || lines(&path).len() > begun);
        std::thread::sleep(Duration::from_millis(110));
        let renewed = server.number(RENEWED);
        let in_time = !long.ready();
        assert!(long.wait(PATIENCE) && short.wait(PATIENCE));
        in_time && renewed > 3
    });
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
