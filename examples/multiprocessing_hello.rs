//! C4: a process says hello, and so does the one that started it.
//!
//! Run: cargo run --release --example multiprocessing_hello

use hilos::multiprocessing::{self, Process};

fn hello_procesos() {
    println!("Hola desde los procesos hijos {}!", std::process::id());
}

fn main() -> Result<(), multiprocessing::Error> {
    let hello_proceso = Process::new(hello_procesos, ());
    hello_proceso.start()?;

    println!("Hola desde el proceso padre {}", std::process::id());

    hello_proceso.join(None)?;
    assert_eq!(hello_proceso.exitcode(), Some(0));
    assert_ne!(hello_proceso.pid(), Some(std::process::id()));
    Ok(())
}
