//! A4: two processes at work at once, each call with an argument bound to it; the executor's part.
//!
//! Run: cargo run --release --example futures_process_pool

use std::collections::BTreeSet;

use hilos::concurrent::futures::{FutureError, ProcessPoolExecutor, as_completed};
use hilos::multiprocessing::{Barrier, Error};

/// Counts up to `count_to`, after both processes have begun; returns in which process it was.
fn count(both: Barrier, count_to: u64) -> Result<(u32, u64), Error> {
    both.wait(30)?;
    let counted = (0..count_to).fold(0, |counter, _| std::hint::black_box(counter + 1));
    Ok((std::process::id(), counted))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let both = Barrier::new(2)?;
    let pids = ProcessPoolExecutor::new(2)?.with(|process_pool| {
        let mut calls = Vec::new();
        for count_to in [3_000_000, 5_000_000] {
            // What Python binds by `partial(count, n)` is an argument here.
            calls.push(process_pool.try_submit(count, (both.clone(), count_to))?);
        }
        let mut pids = BTreeSet::new();
        for finished_task in as_completed(&calls, None) {
            let (pid, counted) = finished_task?.result(None)?;
            println!("process {pid} has counted to {counted}");
            pids.insert(pid);
        }
        Ok::<_, FutureError>(pids)
    })?;
    assert_eq!(pids.len(), 2, "two processes met at the barrier");
    Ok(())
}
