//! M9: a process with an argument.
//!
//! Run: cargo run --release --example multiprocessing_say_hello

use hilos::multiprocessing::{self, Process};

fn say_hello(name: String) {
    println!("Hello, {name}!");
}

fn main() -> Result<(), multiprocessing::Error> {
    let p = Process::new(say_hello, ("world".to_string(),));
    p.start()?;
    p.join(None)?;
    assert_eq!(p.exitcode(), Some(0));
    Ok(())
}
