//! `ProcessPoolExecutor`.

mod calls;
mod endings;
mod workers;

use hilos::concurrent::futures::ProcessPoolExecutor;
use hilos::multiprocessing::StartMethod;

/// An executor with four processes at most, unless said otherwise.
fn executor(method: StartMethod) -> ProcessPoolExecutor {
    with_workers(method, 4)
}

fn with_workers(method: StartMethod, workers: usize) -> ProcessPoolExecutor {
    let executor = ProcessPoolExecutor::new(workers).unwrap();
    executor.with_start_method(method).unwrap()
}
