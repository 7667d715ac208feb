//! What a client keeps.

use hilos::cluster::ClusterPool;

use crate::functions::echo;
use crate::runner::Case;
use crate::server::Server;

pub(crate) const CASES: &[Case] = &[("memory::imap_keeps_its_window", imap_keeps_its_window)];

/// How many items, how many bytes each has, and how many go at a time.
const ITEMS: usize = 100_000;
const BYTES: usize = 512;
const CHUNK: usize = 50;

/// This process's memory in KiB.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    resident * 4
}

/// An imap over 50 MiB keeps next to nothing of what has been taken, and does not read ahead.
fn imap_keeps_its_window() {
    let server = Server::start();
    let _worker = server.worker("q", &["--slots", "2"]);
    let pool = ClusterPool::new(&server.url(), "q").unwrap();
    let pool = pool.with_chunksize(CHUNK);
    let texts = |count| std::iter::repeat_n("x".repeat(BYTES), count);
    // The first tenth makes room for buffers, which the rest uses again.
    assert_eq!(pool.imap(echo, texts(ITEMS / 10)).count(), ITEMS / 10);
    let before = resident();
    let mut results = pool.imap(echo, texts(ITEMS));
    let mut most = before;
    let mut taken = 0;
    for result in results.by_ref() {
        assert_eq!(result.unwrap().len(), BYTES);
        taken += 1;
        if taken % 1000 == 0 {
            most = most.max(resident());
        }
    }
    assert_eq!(taken, ITEMS);
    let grown = (most - before) / 1024;
    println!(
        "an imap over {} MiB: {grown} MiB more",
        (ITEMS * BYTES) >> 20
    );
    assert!(grown < 12, "{grown} MiB more than before");
}
