//! What somebody else has written into the streams.

use std::fs::{File, read_to_string};

use hilos::cluster::ClusterPool;
use hilos::multiprocessing::pool::JobError;

use crate::functions::square;
use crate::runner::{Case, PATIENCE, until};
use crate::security::LOG;
use crate::server::{Server, Worker};

pub(crate) const CASES: &[Case] = &[
    ("strangers::no_task_is_removed", no_task_is_removed),
    (
        "strangers::no_task_of_a_dead_worker",
        no_task_of_a_dead_worker,
    ),
    ("strangers::no_result_is_skipped", no_result_is_skipped),
    (
        "strangers::wrong_result_is_an_error",
        wrong_result_is_an_error,
    ),
];

/// Fields that make no task.
const STRANGE: [&str; 5] = [
    "foo bar",
    "foo sesame foo sesame foo sesame foo sesame foo sesame foo sesame",
    "c \"\\xff\\xfe\" n 1 f square l 0 b 0 a x",
    "c x n 1 f square l -1 b 0 a x",
    // So often it cannot have been given out.
    "c x n 1 f square l 0 b 4294967295 a x",
];

fn write_strange_tasks(server: &Server) {
    for fields in STRANGE {
        let reply = server.command(&format!("XADD hilos:{{q}}:tasks * {fields}"));
        assert!(reply.starts_with('$'), "{reply}");
    }
}

/// Neither in the stream nor with a worker.
fn is_empty(server: &Server) -> bool {
    let held = "EVAL \"return redis.call('XPENDING', KEYS[1], 'workers')[1]\" 1 hilos:{q}:tasks";
    server.number("XLEN hilos:{q}:tasks") == 0 && server.number(held) == 0
}

/// They come with tasks, which do not suffer.
fn no_task_is_removed() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let tasks = || server.number("XLEN hilos:{q}:tasks");
    let before = pool.map_async(square, 0..10).unwrap();
    until("the first are there", || tasks() == 10);
    write_strange_tasks(&server);
    let after = pool.map_async(square, 0..10).unwrap();
    until("all are there", || tasks() == 25);
    let log = server.file("log");
    let mut worker = Worker::with(&server.url(), "q", &["--slots", "1"], |program| {
        program.env(LOG, "warn").stderr(File::create(&log).unwrap())
    });
    let right: Vec<i64> = (0..10).map(square).collect();
    assert_eq!(before.get(PATIENCE).unwrap(), right);
    assert_eq!(after.get(PATIENCE).unwrap(), right);
    until("nothing is left", || is_empty(&server));
    assert!(worker.0.try_wait().unwrap().is_none(), "the worker lives");
    let told = read_to_string(&log).unwrap();
    assert!(told.contains("WARN") && told.contains("no task"), "{told}");
    assert!(!told.contains("sesame"), "{told}");
}

/// Those that a worker was given that did not know what to do with them: tasks behind them that
/// expire too do not wait for a scan each.
fn no_task_of_a_dead_worker() {
    let server = Server::start();
    for _ in 0..50 {
        write_strange_tasks(&server);
    }
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let job = pool.apply_async(square, (3,)).unwrap();
    until("all are there", || {
        server.number("XLEN hilos:{q}:tasks") == 251
    });
    server.command("XGROUP CREATE hilos:{q}:tasks workers 0");
    server.command("XREADGROUP GROUP workers nobody STREAMS hilos:{q}:tasks >");
    assert!(!is_empty(&server));
    let _worker = server.worker("q", &["--slots", "1"]);
    assert_eq!(job.get(PATIENCE).unwrap(), 9);
    until("nothing is left", || is_empty(&server));
}

/// Writes an entry to the results of the one client.
fn write_result(server: &Server, fields: &str) {
    let write = format!(
        "EVAL \"local known = redis.call('KEYS', 'hilos:{{q}}:submitted:*')[1] \
         local results = string.gsub(known, 'submitted', 'results') \
         redis.call('XADD', results, '*', {fields}) return 1\" 0"
    );
    assert_eq!(server.command(&write), ":1");
}

fn no_result_is_skipped() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q")
        .unwrap()
        .with_chunksize(1);
    let job = pool.map_async(square, 0..10).unwrap();
    until("all are there", || {
        server.number("XLEN hilos:{q}:tasks") == 10
    });
    for fields in ["'foo', 'bar'", "'n', 'one', 'o', ''", "'n', '1'"] {
        write_result(&server, fields);
    }
    let _worker = server.worker("q", &["--slots", "1"]);
    assert_eq!(job.get(PATIENCE).unwrap()[9], 81);
}

/// The task ends with an error, and what its worker says later is one result too many.
fn wrong_result_is_an_error() {
    let server = Server::start();
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let outcomes = ["", "nonsense", "\\\\0", "\\\\1", "\\\\200\\\\0"];
    for (number, outcome) in (1..).zip(outcomes) {
        let job = pool.apply_async(square, (3,)).unwrap();
        until("it is there", || {
            server.number("XLEN hilos:{q}:tasks") == number
        });
        write_result(&server, &format!("'n', {number}, 'o', '{outcome}'"));
        match job.get(PATIENCE) {
            Err(JobError::Encoding(_)) => {}
            other => panic!("{outcome:?}: {other:?}"),
        }
    }
    let _worker = server.worker("q", &["--slots", "1"]);
    assert_eq!(pool.apply(square, (4,)).unwrap(), 16);
}
