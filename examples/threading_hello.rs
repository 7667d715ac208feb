//! C3: a thread prints itself: its name, its state, its identifier.
//!
//! Run: cargo run --release --example threading_hello

use hilos::threading::{self, Thread};

fn hello_thread() {
    println!("Hola desde el thread {}!", threading::current_thread());
}

fn main() -> Result<(), threading::Error> {
    let thread = Thread::new(hello_thread);
    thread.start()?;
    thread.join(None)?;

    let ident = thread.ident().expect("it was started");
    let stopped = format!("<Thread(Thread-1 (hello_thread), stopped {ident})>");
    assert_eq!(thread.to_string(), stopped);
    Ok(())
}
