//! M17: a dict and a list of a manager, changed by a child.
//!
//! Run: cargo run --release --example multiprocessing_manager

use std::error::Error;

use hilos::multiprocessing::managers::{DictProxy, ListProxy, RemoteError};
use hilos::multiprocessing::{self, Process};

fn f(d: DictProxy, l: ListProxy<i64>) -> Result<(), RemoteError> {
    d.insert(1, "1")?;
    d.insert("2", 2)?;
    d.insert(0.25, ())?;
    l.reverse()
}

fn main() -> Result<(), Box<dyn Error>> {
    let manager = multiprocessing::manager()?;
    let d = manager.dict()?;
    let l = manager.list(0..10_i64)?;

    let p = Process::new(f, (d.clone(), l.clone()));
    p.start()?;
    p.join(None)?;

    println!("{d}");
    println!("{l}");
    assert_eq!(d.to_string(), "{1: '1', '2': 2, 0.25: None}");
    assert_eq!(l.to_string(), "[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]");
    Ok(())
}
