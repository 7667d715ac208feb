//! Numbers that a Python program squares in place, in memory that both programs share.
//!
//! The twin, `examples/python/shared_memory_with_python.py`, sees the block as a NumPy array, or as
//! a `memoryview` where NumPy is missing. No byte is copied on the way.
//!
//! Run: cargo run --release --example shared_memory_with_python -- 1000000
//! CI: 1000

use std::error::Error;
use std::time::Instant;

use hilos::multiprocessing::managers::SharedMemoryManager;
use hilos::multiprocessing::shared_memory::{Item, ShareableList, SharedMemory};

#[allow(dead_code, reason = "the times of other twins are compared with ours")]
#[path = "common/python.rs"]
mod python;

const SIZE: usize = size_of::<f64>();

fn share(
    smm: &SharedMemoryManager,
    n: usize,
) -> Result<(SharedMemory, ShareableList), Box<dyn Error>> {
    let shm = smm.shared_memory(n * SIZE)?;
    let numbers = shm.buf()?;
    for i in 0..n {
        numbers.set(i * SIZE, i as f64)?;
    }
    // What the other program has to know, and a place for its answer.
    let about =
        smm.shareable_list([Item::from(shm.name()), (n as i64).into(), "not yet".into()])?;
    Ok((shm, about))
}

fn check(shm: &SharedMemory, about: &ShareableList, n: usize) -> Result<(), Box<dyn Error>> {
    let numbers = shm.buf()?;
    for i in 0..n {
        assert_eq!(numbers.get::<f64>(i * SIZE)?, (i * i) as f64);
    }
    println!("{about}");
    assert_eq!(about.get(-1)?, "done".into());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let n = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |n| n.parse())?;
    // Both blocks are unlinked at its end.
    SharedMemoryManager::new().with(|smm| {
        let (shm, about) = share(smm, n)?;
        let start = Instant::now();
        let script = "shared_memory_with_python.py";
        if python::run(script, &[about.shm().name()])?.is_some() {
            println!("{n} numbers in {:.2} s", start.elapsed().as_secs_f64());
            check(&shm, &about, n)?;
        }
        Ok(())
    })?
}
