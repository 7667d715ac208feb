//! C2: a process has at least one thread, the main one.
//!
//! Run: cargo run --release --example threading_current_thread

use hilos::threading;

fn main() {
    println!(
        "Proceso de Python ejecutandose con un ID: {}",
        std::process::id()
    );

    let total_threads = threading::active_count();
    let nombre_thread = threading::current_thread().name();

    println!("Python esta corriendo {total_threads} thread(s) actualmente");
    println!("El actual thread es {nombre_thread}");

    assert_eq!(total_threads, 1);
    assert_eq!(nombre_thread, "MainThread");
}
