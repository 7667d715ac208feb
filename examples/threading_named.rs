//! M2: threads with names of their own, and one with the name that it is given by default.
//!
//! Run: cargo run --release --example threading_named

use std::thread::sleep;
use std::time::Duration;

use hilos::threading::{self, Thread, current_thread};

fn worker() {
    println!("{} Iniciando...", current_thread().name());
    println!("{} En pausa...", current_thread().name());
    sleep(Duration::from_secs(2));
    println!("{} Finalizando...", current_thread().name());
}

fn servicio() {
    println!("{} Iniciando...", current_thread().name());
    println!("{} Finalizando...", current_thread().name());
}

fn main() -> Result<(), threading::Error> {
    // Asignamos un nombre al thread
    let t = Thread::new(servicio).with_name("Servicio");
    // Asignamos un nombre al thread
    let w = Thread::new(worker).with_name("Worker");
    // Thread con su nombre por defecto
    let z = Thread::new(worker);

    w.start()?;
    z.start()?;
    t.start()?;

    assert_eq!(
        [w.name(), z.name(), t.name()],
        ["Worker", "Thread-1 (worker)", "Servicio"]
    );
    Ok(())
}
