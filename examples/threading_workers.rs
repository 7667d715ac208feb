//! M1: three threads, first without arguments, then with one each.
//!
//! Run: cargo run --release --example threading_workers

use hilos::threading::{self, Mutex, Thread};

static ATENDIDOS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Función que realiza el trabajo en el thread.
fn worker() {
    println!("Alumno adjuntando comprobante....");
}

/// Función que realiza el trabajo en el thread, con un argumento.
fn worker_de(alumno: u32) {
    println!("Alumno {alumno} adjuntando comprobante....");
    ATENDIDOS.lock().push(alumno);
}

fn main() -> Result<(), threading::Error> {
    let mut threads = Vec::new();
    for _ in 0..3 {
        let t = Thread::new(worker);
        threads.push(t.clone());
        t.start()?;
    }

    for i in 1..4 {
        let t = Thread::with_args(worker_de, (i,));
        threads.push(t.clone());
        t.start()?;
    }

    for t in threads {
        t.join(None)?;
    }
    let mut atendidos = ATENDIDOS.lock();
    atendidos.sort();
    assert_eq!(*atendidos, [1, 2, 3]);
    Ok(())
}
