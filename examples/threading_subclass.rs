//! M4: a thread as a type of its own with a `run` method, Python's subclass of `Thread`.
//!
//! Run: cargo run --release --example threading_subclass

use hilos::threading::{self, Mutex, Run, Thread};

static EJECUTADOS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

struct MiHilo {
    num: u32,
}

impl MiHilo {
    fn new(num: u32) -> Self {
        Self { num }
    }
}

impl Run for MiHilo {
    // mínimo debe tener un método run
    fn run(&mut self) {
        println!(" Ejecutando el hilo:  {}", self.num);
        EJECUTADOS.lock().push(self.num);
    }
}

fn main() -> Result<(), threading::Error> {
    println!("Ejecutando el hilo principal...");
    for i in 0..3 {
        let t = Thread::from_run(MiHilo::new(i));
        t.start()?;
        t.join(None)?;
    }
    assert_eq!(*EJECUTADOS.lock(), [0, 1, 2]);
    Ok(())
}
