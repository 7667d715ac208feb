//! M5: the life of a thread, from the object to its end, and what `is_alive` says of it.
//!
//! Run: cargo run --release --example threading_lifecycle

use hilos::threading::{self, Event, Thread};

static CONTINUAR: Event = Event::new();

fn tarea() {
    // No ejecutable o bloqueado: espera en su método wait()
    CONTINUAR.wait(None);
}

fn main() -> Result<(), threading::Error> {
    // Creado: sólo es un objeto
    let hilo = Thread::new(tarea);
    let antes = hilo.is_alive();

    // Listo, ejecutable y en ejecución
    hilo.start()?;
    let durante = hilo.is_alive();

    // Muerto: su función ha terminado
    CONTINUAR.set();
    hilo.join(None)?;
    let despues = hilo.is_alive();

    println!("{} {} {}", python(antes), python(durante), python(despues));
    assert_eq!([antes, durante, despues], [false, true, false]);
    Ok(())
}

/// As Python prints it.
fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}
