//! What a worker of a pool that has nothing to do takes of the memory, alone.

#[cfg(target_os = "linux")]
#[path = "common/wanted.rs"]
mod wanted;

#[cfg(target_os = "linux")]
fn main() {
    if wanted::wanted("pool_memory") {
        println!("pool_memory/hilos           {} KiB each", private_kib());
    }
}

/// The most that one of four workers has.
#[cfg(target_os = "linux")]
fn private_kib() -> u64 {
    use hilos::multiprocessing::{Pool, active_children};

    let pool = Pool::new(4).unwrap();
    let done = pool.with_chunksize(1).map(i64::abs, 0..1000);
    assert!(done.is_ok());
    let workers = active_children();
    let pids = workers.iter().filter_map(|worker| worker.pid());
    let private = pids.map(|pid| {
        let table = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let private = table.lines().filter(|line| line.starts_with("Private_"));
        let kib = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.sum()
    });
    private.max().expect("there are workers")
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("pool_memory: measured on Linux only");
}
