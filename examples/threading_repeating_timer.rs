//! M28: a task that repeats every second and stops its own timer when it has counted to ten.
//!
//! The text writes a class for it; here it is `RepeatingTimer`, whose task is given what stops it.
//!
//! Run: cargo run --release --example threading_repeating_timer -- --scale 1
//! CI: --scale 0.1

use hilos::threading::{self, Mutex, RepeatingTimer, Stop};

#[path = "common/scale.rs"]
mod scale;

static CONTADOR: Mutex<u32> = Mutex::new(0);

fn tarea(hilo: &Stop) {
    let mut contador = CONTADOR.lock();
    *contador += 1;
    if *contador == 10 {
        hilo.cancel();
    } else {
        println!("{contador}");
    }
}

fn main() -> Result<(), threading::Error> {
    let scale = scale::from_args(1.0);

    let hilo = RepeatingTimer::new(0, 1.0 * scale, tarea);
    hilo.start()?;

    hilo.join(None)?;
    assert_eq!(*CONTADOR.lock(), 10);
    Ok(())
}
