//! What workers do when they start, end and break.

use std::thread::sleep;
use std::time::Duration;

use hilos::cluster::{ClusterPool, status};
use hilos::multiprocessing::pool::JobError;
use nix::sys::signal::Signal;

use crate::functions::{die, die_once, hoard, initialized, kill_worker};
use crate::functions::{nap, note_nap, process, square};
use crate::runner::{Case, PATIENCE, until};
use crate::server::{Server, Worker, lines};

pub(crate) const CASES: &[Case] = &[
    ("workers::join_and_leave", join_and_leave),
    ("workers::drain_on_sigterm", drain_on_sigterm),
    ("workers::crash_costs_one_job", crash_costs_one_job),
    ("workers::retries_are_capped", retries_are_capped),
    ("workers::maxtasksperchild", maxtasksperchild),
    ("workers::max_memory_per_child", max_memory_per_child),
    ("workers::initializer", initializer),
    ("workers::long_tasks_spread", long_tasks_spread),
    (
        "workers::nothing_is_fetched_ahead_unasked",
        nothing_is_fetched_ahead_unasked,
    ),
    (
        "workers::nothing_waits_behind_a_long_task",
        nothing_waits_behind_a_long_task,
    ),
];

fn join_and_leave() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let job = pool.map_async(square, 0..100).unwrap();
    assert!(!job.wait(0.1), "nobody is there");
    let mut one = server.worker("q", &["--slots", "1"]);
    assert_eq!(job.get(None).unwrap().len(), 100);
    let status = || status(&server.url(), "q").unwrap();
    until("it has reported", || status().workers.len() == 1);
    let _two = server.worker("q", &["--slots", "3"]);
    until("both have reported", || status().slots() == 4);
    one.signal(Signal::SIGTERM);
    assert_eq!(one.wait(), Some(0));
    until("one has left", || status().slots() == 3);
    assert_eq!(pool.apply(square, (7,)).unwrap(), 49);
    let shown = status().to_string();
    assert!(shown.contains("workers 1, slots 3"), "{shown}");
}

fn drain_on_sigterm() {
    let server = Server::start();
    let mut one = server.worker("q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let jobs: Vec<_> = (0..4)
        .map(|n| pool.apply_async(note_nap, (name.clone(), n, 400)).unwrap())
        .collect();
    until("the first runs", || !lines(&path).is_empty());
    one.signal(Signal::SIGTERM);
    assert_eq!(one.wait(), Some(0));
    assert_eq!(jobs[0].get(None).unwrap(), 0);
    let begun = lines(&path).len();
    assert!(begun < 4, "it should not have done everything");
    let _two = server.worker("q", &["--slots", "4"]);
    assert!(jobs[1..].iter().all(|job| job.get(None).is_ok()));
    // None was begun twice.
    assert_eq!(lines(&path).len(), 4);
}

fn crash_costs_one_job() {
    let server = Server::start();
    let mut worker = server.worker("q", &["--slots", "2", "--max-retries", "0"]);
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let crash = pool.apply_async(die, (1,)).unwrap();
    let others = pool.map_async(square, 0..200).unwrap();
    match crash.get(None) {
        Err(error @ JobError::WorkerLost(_)) => {
            assert!(error.to_string().contains("SIGKILL"), "{error}");
            assert!(error.to_string().contains("while running die"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(others.get(None).unwrap().len(), 200);
    assert!(worker.0.try_wait().unwrap().is_none(), "the worker lives");
}

fn retries_are_capped() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1", "--max-retries", "2"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let path = server.file("once").to_str().unwrap().to_owned();
    assert!(pool.apply(die_once, (path,)).is_ok());
    assert!(pool.apply(die, (1,)).unwrap_err().is_worker_lost());
    // A task that takes whole workers along: each time another one has to take it over.
    let path = server.file("deaths");
    let job = pool
        .apply_async(kill_worker, (path.to_str().unwrap().to_owned(),))
        .unwrap();
    let mut workers: Vec<Worker> = Vec::new();
    while !job.wait(0.2) {
        workers.push(server.worker("q", &["--slots", "1", "--max-retries", "2"]));
        assert!(workers.len() < 100, "it never ends");
    }
    let error = job.get(None).unwrap_err();
    assert!(error.is_worker_lost(), "{error:?}");
    assert_eq!(lines(&path).len(), 3);
}

fn maxtasksperchild() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1", "--maxtasksperchild", "10"]);
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let mut processes = pool.map(process, 0..50).unwrap();
    processes.sort_unstable();
    processes.dedup();
    assert_eq!(processes.len(), 5);
}

/// A process that has grown too large is replaced after its task; the worker stays.
fn max_memory_per_child() {
    let server = Server::start();
    let mut worker = server.worker("q", &["--slots", "1", "--max-memory", "65536"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let small: Vec<u32> = (0..5)
        .map(|_| pool.apply(hoard, (1 << 20,)).unwrap())
        .collect();
    assert!(small.iter().all(|pid| *pid == small[0]), "{small:?}");
    assert_eq!(pool.apply(hoard, (96 << 20,)).unwrap(), small[0]);
    let next = pool.apply(process, (0,)).unwrap();
    assert_ne!(next, small[0], "it has 96 MiB and goes on");
    assert_eq!(pool.apply(process, (0,)).unwrap(), next);
    assert!(worker.0.try_wait().unwrap().is_none(), "the worker lives");
}

fn initializer() {
    let server = Server::start();
    let url = server.url();
    let start = |how: &str| {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["worker", "--queue", "q", "--slots", "1", "--url", &url])
            .env("HILOS_TEST_INITIALIZER", how)
            .stderr(std::process::Stdio::piped())
            .spawn();
        Worker(child.unwrap())
    };
    let mut bad = start("bad");
    assert_eq!(bad.wait(), Some(1));
    let mut text = String::new();
    std::io::Read::read_to_string(bad.0.stderr.as_mut().unwrap(), &mut text).unwrap();
    assert!(
        text.contains("the initializer failed") && text.contains("no database"),
        "{text}"
    );
    let _good = start("good");
    let pool = ClusterPool::new(&url, "q").unwrap();
    assert_eq!(pool.apply(initialized, ()).unwrap(), 7);
}

fn long_tasks_spread() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let _workers = [1, 2].map(|_| server.worker("q", &["--slots", "1"]));
    // Short ones first, so that the workers fetch ahead.
    pool.map(square, 0..2000).unwrap();
    let began = std::time::Instant::now();
    pool.map(nap, [1500; 4]).unwrap();
    // One worker alone would take six seconds.
    assert!(began.elapsed().as_secs_f64() < 5.5, "one had them all");
}

/// How many tasks a worker has.
const HELD: &str =
    "EVAL \"return redis.call('XPENDING', KEYS[1], 'workers')[1]\" 1 hilos:{q}:tasks";

/// How many entries the queue has ever had. What a worker gives back is a new one.
const ADDED: &str = "EVAL \"local about = redis.pcall('XINFO', 'STREAM', KEYS[1]) \
    for i = 1, #about, 2 do if about[i] == 'entries-added' then return about[i + 1] end end \
    return 0\" 1 hilos:{q}:tasks";

/// For how long a worker is watched that should not fetch anything: many times what it leaves a task
/// lying that it has fetched in vain.
const WATCH: Duration = Duration::from_secs(3);

/// How long the tasks are, nobody knows at first: a worker takes one for each slot.
fn nothing_is_fetched_ahead_unasked() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let job = pool
        .starmap_async(note_nap, (0..20).map(|n| (name.clone(), n, 3_600_000)))
        .unwrap();
    until("all are there", || server.number(ADDED) == 20);
    let _worker = server.worker("q", &["--slots", "2"]);
    until("two run", || lines(&path).len() == 2);
    sleep(WATCH);
    assert_eq!(server.number(HELD), 2, "some were fetched ahead");
    assert_eq!(server.number(ADDED), 20, "some were fetched and given back");
    pool.terminate();
    assert!(job.wait(PATIENCE));
}

/// A worker that is used to short tasks notices that one is long: what it has fetched ahead goes
/// back, and stays there.
fn nothing_waits_behind_a_long_task() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1"]);
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    pool.map(square, 0..500).unwrap();
    let long = pool.apply_async(note_nap, (name, 0, 3_600_000)).unwrap();
    until("it runs", || !lines(&path).is_empty());
    let before = server.number(ADDED);
    let short = pool.apply_async(square, (3,)).unwrap();
    until("the other is there", || server.number(ADDED) > before);
    sleep(WATCH);
    let back = server.number(ADDED) - before - 1;
    // A call of the server that has begun when it goes back may fetch it once more.
    assert!(back <= 2, "it was fetched {back} times");
    until("it is back", || server.number(HELD) == 1);
    pool.terminate();
    assert!(long.wait(PATIENCE) && short.wait(PATIENCE));
}
