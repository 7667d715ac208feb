//! M14: ten processes print, one at a time.
//!
//! Run: cargo run --release --example multiprocessing_lock

use hilos::multiprocessing::{self, Lock, Process};

fn f(l: Lock, i: i32) -> Result<(), multiprocessing::Error> {
    l.acquire()?;
    println!("hello world {i}");
    l.release()
}

fn main() -> Result<(), multiprocessing::Error> {
    let lock = Lock::new()?;
    let processes = Vec::from_iter((0..10).map(|num| Process::new(f, (lock.clone(), num))));
    for p in &processes {
        p.start()?;
    }
    for p in &processes {
        p.join(None)?;
        assert_eq!(p.exitcode(), Some(0));
    }
    Ok(())
}
