//! The executor's calls.

use hilos::cluster::{ClusterExecutor, ClusterPool};
use hilos::concurrent::futures::{ALL_COMPLETED, ProcessPoolExecutor};
use hilos::concurrent::futures::{Executor, Future, FutureError, RuntimeError, wait};

use crate::functions::{add, die, fail, note, note_nap, square};
use crate::runner::{Case, PATIENCE, until};
use crate::server::{Server, lines};

pub(crate) const CASES: &[Case] = &[
    ("executor::submit_and_map", submit_and_map),
    ("executor::any_executor", any_executor),
    ("executor::awaited_anywhere", awaited_anywhere),
    ("executor::cancel", cancel),
    ("executor::shutdown", shutdown),
];

fn submit_and_map() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "2", "--max-retries", "0"]);
    let executor = ClusterExecutor::new(&server.url(), "q").unwrap();
    let futures: Vec<_> = (0..50)
        .map(|n| executor.submit(add, (n, n)).unwrap())
        .collect();
    let done = wait(&futures, PATIENCE, ALL_COMPLETED);
    assert_eq!(done.not_done.len(), 0);
    assert_eq!(futures[20].result(None).unwrap(), 40);
    let squares: Result<Vec<i64>, _> = executor.map(square, 0..50).unwrap().collect();
    assert_eq!(squares.unwrap()[7], 49);
    let error = executor.submit(fail, ("no paper".to_owned(),)).unwrap();
    assert!(
        error
            .result(PATIENCE)
            .unwrap_err()
            .to_string()
            .contains("no paper")
    );
    let lost = executor
        .submit(die, (1,))
        .unwrap()
        .result(PATIENCE)
        .unwrap_err();
    assert!(lost.to_string().contains("SIGKILL"), "{lost}");
}

/// A function that knows no more of its executor than that it is one.
fn sum<E>(executor: &E) -> Result<i64, FutureError>
where
    E: Executor<(fn(i64, i64) -> i64, (i64, i64)), Output = i64>,
{
    executor.submit((add, (1, 2)))?.result(None)
}

fn submits<E, F: Copy>(executor: &E, function: F) -> Result<Future<i64>, RuntimeError>
where
    E: Executor<(F, (i64, i64)), Output = i64>,
{
    executor.submit((function, (20, 3)))
}

fn any_executor() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1"]);
    let cluster = ClusterExecutor::new(&server.url(), "q").unwrap();
    let local = ProcessPoolExecutor::new(1).unwrap();
    assert_eq!(submits(&cluster, add).unwrap().result(None).unwrap(), 23);
    assert_eq!(submits(&local, add).unwrap().result(None).unwrap(), 23);
    // A pointer has no name that could travel.
    let unnamed = sum(&cluster).unwrap_err();
    assert!(unnamed.to_string().contains("register!"), "{unnamed}");
}

fn awaited_anywhere() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1"]);
    let executor = ClusterExecutor::new(&server.url(), "q").unwrap();
    let future = executor.submit(square, (12,)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(async { future.await }).unwrap(), 144);
}

fn cancel() {
    let server = Server::start();
    let executor = ClusterExecutor::new(&server.url(), "q").unwrap();
    let path = server.file("log");
    let name = path.to_str().unwrap().to_owned();
    let running = executor
        .submit(note_nap, (name.clone(), 0, 3_600_000))
        .unwrap();
    let _worker = server.worker("q", &["--slots", "1"]);
    until("it runs", || !lines(&path).is_empty());
    let queued = executor.submit(note, (name.clone(), 1)).unwrap();
    let last = executor.submit(note, (name, 2)).unwrap();
    assert!(queued.cancel() && running.cancel());
    assert!(queued.result(None).unwrap_err().is_cancelled());
    assert!(running.result(None).unwrap_err().is_cancelled());
    assert_eq!(last.result(PATIENCE).unwrap(), 4);
    assert_eq!(lines(&path), ["0", "2"]);
}

fn shutdown() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "1"]);
    let executor = ClusterExecutor::new(&server.url(), "q").unwrap();
    let future = executor.submit(square, (5,)).unwrap();
    executor.shutdown(true);
    assert!(future.done());
    let refused = executor.submit(square, (5,)).unwrap_err();
    assert!(
        matches!(refused, RuntimeError::AfterShutdown),
        "{refused:?}"
    );
    let pool = ClusterPool::new(&server.url(), "nobody").unwrap();
    let executor = ClusterExecutor::from(pool);
    let waiting = executor.submit(square, (5,)).unwrap();
    executor.shutdown_cancel_futures(true);
    assert!(waiting.cancelled());
}
